import { defineSubject } from "@enginehouse/llm-conformance";

import plugin from "./src/index.ts";
import { echoBackend } from "./test/conformance-backend.ts";

export default defineSubject({
  package: new URL("package.json", import.meta.url),
  plugin,
  backend: echoBackend,
  settings: () => ({}),
});
