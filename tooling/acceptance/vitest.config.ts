import { project } from "@enginehouse/vitest-preset";

export default project("acceptance", {
  globalSetup: ["./built.ts"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
});
