import { project } from "@enginehouse/vitest-preset";

export default project("acceptance", { testTimeout: 120_000, hookTimeout: 120_000 });
