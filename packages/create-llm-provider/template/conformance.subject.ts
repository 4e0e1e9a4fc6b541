import { defineSubject } from "@enginehouse/llm-conformance";
import { plainFake } from "@enginehouse/llm-conformance/fakes";

/** What the kit tests: this plugin, in front of a server that plays the kit's scenarios. */
export default defineSubject({
  package: new URL("./package.json", import.meta.url),
  plugin: async () => (await import("./src/index.ts")).default,
  backend: plainFake,
  settings: ({ address, key }) => ({ baseUrl: address, ...(key !== undefined && { apiKey: key }) }),
  live: {
    settings: ({ url, key }) => ({ baseUrl: url, ...(key !== undefined && { apiKey: key }) }),
  },
});
