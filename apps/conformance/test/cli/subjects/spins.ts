import { defineSubject } from "../../../src/index.ts";
import { smallSubject } from "../../run/small.ts";

/** A plugin that takes the event loop and never gives it back. */
export default defineSubject({
  ...smallSubject(),
  plugin: async () => {
    for (;;);
  },
});
