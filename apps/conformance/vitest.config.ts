import { project, waiting } from "@enginehouse/vitest-preset";

export default project("llm-conformance", waiting);
