import { project } from "@enginehouse/vitest-preset";

// A test may start several engines, each of which takes a second or two on a busy machine.
export default project("llm-provider-llamacpp", { testTimeout: 60_000 });
