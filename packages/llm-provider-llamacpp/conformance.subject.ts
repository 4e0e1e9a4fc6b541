import { defineSubject } from "@enginehouse/llm-conformance";

import plugin from "./src/index.ts";
import { scriptedBackend } from "./test/scripted-backend.ts";

export default defineSubject({
  package: new URL("package.json", import.meta.url),
  plugin,
  backend: scriptedBackend,
  settings: () => ({ threads: 1, gpu: false }),
});
