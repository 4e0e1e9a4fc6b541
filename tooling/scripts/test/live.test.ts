import { findEngine, findModel, present } from "@enginehouse/vitest-preset/live";
import { expect, test } from "vitest";

test("what is there is a path, and what is not there skips the test with a reason", (context) => {
  const skipped: string[] = [];
  const other = {
    skip(note?: string): never {
      skipped.push(note ?? "");
      throw new Error("skipped");
    },
  };
  expect(() =>
    present(other, findModel("nobody-has-this.gguf", { ENGINEHOUSE_MODELS_DIR: "models" })),
  ).toThrow("skipped");
  expect(skipped.join()).toContain("nobody-has-this.gguf was looked for in");
  expect(present(context, findEngine("llama-server"))).toMatch(/llama-server/);
});
