import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeEmbedderGguf, writeRandomGguf } from "@enginehouse/llm-reference-model/scripted";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { assertFits, checkFit } from "../src/models/fit.ts";
import { readSystemMemory } from "../src/models/memory.ts";

const folder = mkdtempSync(join(tmpdir(), "fit-"));
const path = join(folder, "model.gguf");
const embedder = join(folder, "embedder.gguf");
beforeAll(() => {
  writeRandomGguf(path, { width: 128, layers: 4, contextWindow: 32_768 });
  writeEmbedderGguf(embedder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MB = 1024 * 1024;
const machine = (available: number, total: number) => () =>
  Promise.resolve({ available: available * MB, total: total * MB });
const provider = { provider: "llamacpp", force: false };

describe("the fit check", () => {
  test("lets a model pass that has room, and tells the parts of the sum", async () => {
    const fit = await checkFit({ path, contextSize: 4096, sequences: 1 }, machine(8_000, 16_000));
    expect(fit).toMatchObject({ fits: true, never: false, available: 8_000 * MB });
    const { weights, cache, compute, base } = fit.parts;
    expect(fit.needed).toBe(weights + cache + compute + base);
    // 4 layers, 4 key heads of 16 numbers for keys and for values, of 2 bytes.
    expect(cache).toBe(4096 * 4 * 4 * (16 + 16) * 2);
  });

  test("counts the window of every sequence, and no window larger than the model's", async () => {
    const cacheOf = async (contextSize: number, sequences: number) =>
      (await checkFit({ path, contextSize, sequences }, machine(1, 1))).parts.cache;
    const one = await cacheOf(8_192, 1);
    expect(await cacheOf(8_192, 4)).toBe(one * 4);
    expect(await cacheOf(1_000_000, 1)).toBe(await cacheOf(32_768, 1));
  });

  test("an embedder keeps no window", async () => {
    expect(
      (await checkFit({ path: embedder, contextSize: 8_192, sequences: 4 }, machine(1, 1))).parts.cache,
    ).toBe(0);
  });

  test("refuses with figures and what to do, and may be asked again", async () => {
    await expect(
      assertFits({ path, contextSize: 32_768, sequences: 64 }, provider, machine(100, 16_000)),
    ).rejects.toMatchObject({
      code: "out-of-memory",
      retryable: true,
      provider: "llamacpp",
      figures: {
        needed: expect.any(Number),
        available: 100 * MB,
        weights: expect.any(Number),
        cache: expect.any(Number),
      },
      hint: expect.stringContaining("smaller context window"),
    });
  });

  test("says of what can never fit that waiting is no use", async () => {
    await expect(
      assertFits({ path, contextSize: 4_096, sequences: 1 }, provider, machine(10, 20)),
    ).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining("never fit"),
      hint: expect.stringContaining("smaller model"),
    });
  });

  test("lets everything pass when forced, and still tells the figures", async () => {
    const fit = await assertFits(
      { path, contextSize: 4_096, sequences: 1 },
      { ...provider, force: true },
      machine(1, 2),
    );
    expect(fit).toMatchObject({ fits: false, never: true });
  });

  test("counts the free memory of a GPU", async () => {
    const request = { path, contextSize: 4_096, sequences: 1 };
    expect((await checkFit(request, machine(1, 2))).fits).toBe(false);
    expect((await checkFit({ ...request, gpuFreeBytes: 8_000 * MB }, machine(1, 2))).fits).toBe(true);
  });
});

describe("available memory", () => {
  const MEMINFO = "MemTotal:       16000000 kB\nMemFree:          200000 kB\nMemAvailable:    9000000 kB\n";
  const files = (more: Record<string, string>) => (file: string) => {
    const content = { "/proc/meminfo": MEMINFO, ...more }[file];
    return content === undefined ? Promise.reject(new Error("ENOENT")) : Promise.resolve(content);
  };

  test("on Linux counts what the page cache would give back", async () => {
    expect(await readSystemMemory(files({}), "linux")).toEqual({
      available: 9_000_000 * 1024,
      total: 16_000_000 * 1024,
    });
  });

  test("in a container is what its limit leaves, files it has read not counted", async () => {
    const memory = await readSystemMemory(
      files({
        "/proc/self/cgroup": "0::/app/worker\n",
        "/sys/fs/cgroup/app/memory.max": "1000000000\n",
        "/sys/fs/cgroup/app/memory.current": "900000000\n",
        "/sys/fs/cgroup/app/memory.stat": "anon 300000000\nactive_file 200000000\ninactive_file 400000000\n",
        "/sys/fs/cgroup/app/worker/memory.max": "max\n",
        "/sys/fs/cgroup/app/worker/memory.current": "100\n",
      }),
      "linux",
    );
    expect(memory).toEqual({ available: 700_000_000, total: 1_000_000_000 });
  });

  test("is a sensible figure on this machine", async () => {
    const { available, total } = await readSystemMemory();
    expect(available).toBeGreaterThan(50 * MB);
    expect(available).toBeLessThanOrEqual(total);
  });
});
