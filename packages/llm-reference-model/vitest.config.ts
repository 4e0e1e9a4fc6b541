import { project } from "@enginehouse/vitest-preset";

export default project("llm-reference-model", { testTimeout: 60_000 });
