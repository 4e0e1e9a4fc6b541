import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { referenceModels } from "@enginehouse/llm-reference-model";
import { findModel, present } from "@enginehouse/vitest-preset/live";
import { expect, test } from "vitest";

import { checkFit } from "../../src/models/fit.ts";

const script = fileURLToPath(new URL("measure-memory.ts", import.meta.url));

async function measure(path: string, contextSize: number, sequences: number, kind: string): Promise<number> {
  const given = [script, path, String(contextSize), String(sequences), kind];
  const { stdout } = await promisify(execFile)(process.execPath, given, { timeout: 120_000 });
  return Number(stdout);
}

/** An estimate too small lets the system run out of memory, one far too large refuses what would fit. */
async function estimateOverReal(
  path: string,
  contextSize: number,
  sequences: number,
  kind: string,
): Promise<number> {
  const { needed } = await checkFit({ path, contextSize, sequences });
  return needed / (await measure(path, contextSize, sequences, kind));
}

test.each(referenceModels.filter(({ format }) => format === "gguf"))(
  "the estimate for the bundled $id is near what it takes",
  { timeout: 150_000 },
  async ({ url, task }) => {
    const ratio = await estimateOverReal(fileURLToPath(url), 2_048, 2, task);
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(2.5);
  },
);

const smol = findModel("SmolLM2-135M-Instruct.Q4_1.gguf");
test.for([
  [2_048, 1],
  [8_192, 4],
] as const)(
  "the estimate for a real chat model with %i tokens × %i is near what it takes",
  { timeout: 150_000 },
  async ([contextSize, sequences], context) => {
    const ratio = await estimateOverReal(present(context, smol), contextSize, sequences, "chat");
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(2.5);
  },
);

const embedder = findModel("all-MiniLM-L6-v2-q8_0.gguf");
test("the estimate for a real embedder is near what it takes", { timeout: 150_000 }, async (context) => {
  const ratio = await estimateOverReal(present(context, embedder), 512, 1, "embedding");
  expect(ratio).toBeGreaterThan(0.95);
  expect(ratio).toBeLessThan(2.5);
});
