import { defineSubject } from "@enginehouse/llm-conformance";
import { openaiFake } from "@enginehouse/llm-conformance/fakes";

import plugin from "./src/index.ts";

export default defineSubject({
  package: new URL("package.json", import.meta.url),
  plugin,
  backend: openaiFake,
  settings: ({ address, key }) => ({ baseUrl: `${address}/v1`, ...(key !== undefined && { apiKey: key }) }),
  live: { settings: ({ url, key }) => ({ baseUrl: url, ...(key !== undefined && { apiKey: key }) }) },
});
