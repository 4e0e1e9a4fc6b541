import { testProvider } from "../../src/node-test.ts";
import { asks, check, smallSubject } from "./small.ts";

testProvider(smallSubject({ forgetsRejection: true }), { checks: [check("S01", asks)] });
