import { defineSubject } from "../../../src/index.ts";
import { smallSubject } from "../../run/small.ts";

const small = smallSubject();

/** A plugin that takes the whole process with it. */
export default defineSubject({
  ...small,
  plugin: async () => process.exit(0),
});
