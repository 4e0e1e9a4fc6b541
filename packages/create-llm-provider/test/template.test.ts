import { testProvider } from "@enginehouse/llm-conformance/vitest";

import subject from "../template/conformance.subject.ts";

testProvider(subject);
