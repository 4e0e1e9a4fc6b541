import { project } from "@enginehouse/vitest-preset";

export default project("llm-openai-dialect");
