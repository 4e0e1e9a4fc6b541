import { project } from "@enginehouse/vitest-preset";

export default project("llm-provider-openai");
