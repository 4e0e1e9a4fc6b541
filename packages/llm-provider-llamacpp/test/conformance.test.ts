import { testProvider } from "@enginehouse/llm-conformance/vitest";

import subject from "../conformance.subject.ts";

// In source, before anything is built: a process of its own imports the same.
testProvider({ ...subject, module: new URL("../src/index.ts", import.meta.url) }, { seed: 20_261_121 });
