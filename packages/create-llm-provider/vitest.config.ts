import { project } from "@enginehouse/vitest-preset";

export default project("create-llm-provider");
