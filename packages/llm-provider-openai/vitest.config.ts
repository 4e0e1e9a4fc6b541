import { project } from "@enginehouse/vitest-preset";

// The live tests start a real server, which takes seconds on a busy machine.
export default project("llm-provider-openai", { testTimeout: 60_000 });
