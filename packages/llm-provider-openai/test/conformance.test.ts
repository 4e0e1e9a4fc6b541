import { llamaServerFake, ollamaV1Fake } from "@enginehouse/llm-conformance/fakes";
import { testProvider } from "@enginehouse/llm-conformance/vitest";

import subject from "../conformance.subject.ts";

testProvider(subject);

// The same promises in front of servers that differ from OpenAI's in first and last pieces, fields and errors.
const withPreset = {
  ...subject,
  backend: llamaServerFake,
  settings: (backend: Parameters<typeof subject.settings>[0]) => ({
    ...subject.settings(backend),
    preset: "llama-server",
  }),
};
testProvider(withPreset);
testProvider({ ...subject, backend: ollamaV1Fake });
