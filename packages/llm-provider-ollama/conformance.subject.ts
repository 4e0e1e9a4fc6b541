import { defineSubject } from "@enginehouse/llm-conformance";
import { ollamaFake } from "@enginehouse/llm-conformance/fakes";

import plugin from "./src/index.ts";

export default defineSubject({
  package: new URL("package.json", import.meta.url),
  plugin,
  backend: ollamaFake,
  settings: ({ address, key }) => ({ baseUrl: address, ...(key !== undefined && { apiKey: key }) }),
  live: { settings: ({ url, key }) => ({ baseUrl: url, ...(key !== undefined && { apiKey: key }) }) },
});
