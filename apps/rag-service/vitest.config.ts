import { project } from "@enginehouse/vitest-preset";

export default project("rag-service", {
  include: ["test/**/*.test.ts", "e2e/**/*.test.ts"],
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
