import { smallSubject } from "../../run/small.ts";

export default smallSubject();
