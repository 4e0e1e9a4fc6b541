import { testProvider } from "../../src/node-test.ts";
import { asks, check, smallSubject } from "./small.ts";

const checks = [check("S01", asks), check("E01", asks, { needs: { operations: ["embed"] } })];
testProvider(smallSubject(), { checks });
