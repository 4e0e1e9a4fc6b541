import { testProvider } from "@enginehouse/llm-conformance/vitest";

import subject from "../conformance.subject.ts";

testProvider(subject);
