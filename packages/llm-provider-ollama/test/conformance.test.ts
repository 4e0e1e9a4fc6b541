import { ollamaFake013, ollamaFakeNative } from "@enginehouse/llm-conformance/fakes";
import { testProvider } from "@enginehouse/llm-conformance/vitest";

import subject from "../conformance.subject.ts";

const SEED = 20_261_121;

// In source, before anything is built: a process of its own imports the same.
const fromSource = { ...subject, module: new URL("../src/index.ts", import.meta.url) };

testProvider(fromSource, { seed: SEED });
// What differs between servers, again in front of each: the engine's own templates, and the generation before.
testProvider(
  { ...fromSource, backend: ollamaFakeNative },
  { seed: SEED, only: ["S", "U", "X", "T", "J", "R"] },
);
testProvider(
  { ...fromSource, backend: ollamaFake013 },
  { seed: SEED, only: ["S", "U", "X", "T", "J", "R", "E", "L"] },
);
