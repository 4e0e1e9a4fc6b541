import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { isLlmError } from "@enginehouse/llm-core";
import { writeDamagedGguf, writeRandomGguf } from "@enginehouse/llm-reference-model/scripted";
import { afterAll, beforeAll, expect, test } from "vitest";

import { readGguf } from "../src/models/gguf.ts";
import { readModelFile } from "../src/models/model-file.ts";

const folder = mkdtempSync(join(tmpdir(), "gguf-"));
const path = join(folder, "model.gguf");
let whole = Buffer.alloc(0);

beforeAll(() => {
  writeRandomGguf(path, { name: "whole" });
  whole = readFileSync(path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(bytes: Buffer, name = "changed.gguf"): string {
  const changed = join(folder, name);
  writeFileSync(changed, bytes);
  return changed;
}

/** Numbers of 4 bytes, then numbers of 8. */
function numbers(short: readonly number[], long: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(short.length * 4 + long.length * 8);
  for (const [index, value] of short.entries()) bytes.writeUInt32LE(value, index * 4);
  for (const [index, value] of long.entries()) bytes.writeBigUInt64LE(value, short.length * 4 + index * 8);
  return bytes;
}

test("a header tells its metadata, its numbers and how long the file must be", async () => {
  const header = await readGguf(path);
  expect(header.metadata.get("general.name")).toBe("whole");
  expect(header.metadata.get("llama.context_length")).toBe(4096);
  expect(header.metadata.get("tokenizer.ggml.tokens")).toEqual({ length: expect.any(Number) });
  expect(header.expectedBytes).toBe(whole.length);
  expect(header.weightBytes).toBe(header.parameters * 4);
});

test("a header of more than any model has is not read to its end", async () => {
  const texts = written(Buffer.concat([Buffer.from("GGUF"), numbers([3], [0n, 9n])]), "texts.gguf");
  // All zeros behind the length, so that the disk holds next to nothing.
  const file = openSync(texts, "r+");
  for (let index = 0; index < 9; index += 1) {
    const key = Buffer.from(`k${index}`);
    const head = Buffer.concat([numbers([], [2n]), key, numbers([8], [8_000_000n])]);
    writeSync(file, head, 0, head.length, 24 + index * (head.length + 8_000_000));
  }
  ftruncateSync(file, 80_000_000);
  closeSync(file);
  await expect(readGguf(texts)).rejects.toMatchObject({ code: "model-load-failed" });

  const list = Buffer.concat([
    Buffer.from("GGUF"),
    numbers([3], [0n, 1n, 1n]),
    Buffer.from("l"),
    numbers([9, 8], [4_000_001n]),
  ]);
  await expect(readGguf(written(list, "list.gguf"))).rejects.toThrow("4000001 items in one list");
});

test("a part that is no file is said so, and not waited for", async () => {
  written(whole, "two-00001-of-00002.gguf");
  mkdirSync(join(folder, "two-00002-of-00002.gguf"));
  await expect(readModelFile(join(folder, "two-00001-of-00002.gguf"))).rejects.toThrow(
    "two-00002-of-00002.gguf is no file",
  );
});

test("a file cut anywhere is refused with a sentence, not with a crash", async () => {
  const { length } = whole;
  for (const cut of [
    0,
    1,
    3,
    4,
    7,
    8,
    20,
    24,
    30,
    100,
    1_000,
    5_000,
    9_000,
    Math.floor(length / 2),
    length - 33,
  ]) {
    const changed = written(whole.subarray(0, cut));
    const error: unknown = await readModelFile(changed).catch((fault: unknown) => fault);
    expect(isLlmError(error) && error.code, `cut at ${cut}`).toBe("model-load-failed");
  }
});

test.each(["truncated", "random-bytes"] as const)("a %s file is refused", async (damage) => {
  const changed = join(folder, `${damage}.gguf`);
  writeDamagedGguf(changed, damage);
  await expect(readModelFile(changed)).rejects.toMatchObject({
    code: "model-load-failed",
    hint: expect.any(String),
  });
});

test("any byte of the header may be wrong: the reader answers or refuses, quickly and within bounds", async () => {
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % below;
  };
  const codes = new Map<string, number>();
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(whole.subarray(0, 12_000));
    for (let change = 0; change <= random(4); change++)
      bytes[random(round < 200 ? 400 : bytes.length)] = random(256);
    const outcome = await readGguf(written(bytes)).then(
      () => "read",
      (fault: unknown) => (isLlmError(fault) ? fault.code : String(fault)),
    );
    codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
  }
  expect([...codes.keys()].toSorted()).toEqual(["model-load-failed", "read"]);
  expect(codes.get("model-load-failed")).toBeGreaterThan(50);
});

test.each([
  ["tensors", 8],
  ["entries", 16],
] as const)("a claim of four billion %s is not believed", async (what, at) => {
  const bytes = Buffer.from(whole);
  bytes.writeBigUInt64LE(0xffff_ffffn, at);
  await expect(readGguf(written(bytes))).rejects.toMatchObject({ message: expect.stringContaining(what) });
});

test("a text that claims more bytes than the file has is not allocated", async () => {
  const bytes = Buffer.from(whole);
  bytes.writeBigUInt64LE(2n ** 62n, 24);
  await expect(readGguf(written(bytes))).rejects.toMatchObject({
    code: "model-load-failed",
    message: expect.stringContaining("claims"),
  });
});

test("a folder in place of a file is refused", async () => {
  await expect(readGguf(folder)).rejects.toMatchObject({ code: "model-load-failed" });
});

test("a split model is whole only with all its parts", async () => {
  const first = written(whole, "split-00001-of-00002.gguf");
  await expect(readModelFile(first)).rejects.toMatchObject({
    message: expect.stringContaining("split-00002-of-00002.gguf is missing"),
  });
  const second = written(whole, "split-00002-of-00002.gguf");
  expect(await readModelFile(first)).toMatchObject({ sizeBytes: whole.length * 2, paths: [first, second] });
  truncateSync(second, whole.length - 64);
  await expect(readModelFile(first)).rejects.toMatchObject({
    message: expect.stringMatching(/split-00002-of-00002.gguf is truncated: it has \d+ of \d+ bytes/),
  });
});
