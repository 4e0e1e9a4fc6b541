import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { writeDamagedGguf, writeScriptedGguf } from "@enginehouse/llm-reference-model/scripted";
import { expect, test } from "vitest";

import { temporaryFolder } from "./engine.ts";

const file = temporaryFolder();
const loader = fileURLToPath(new URL("fixtures/load-model.mjs", import.meta.url));

/** Loads the file in a process of its own, as some damages end the process. */
async function load(path: string): Promise<{ code: number | null; signal: string | null; said: string }> {
  const child = spawn(process.execPath, [loader, path], { stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => said.push(data.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, said: said.join("") }));
  });
}

test("a whole file loads, so that the others fail for their damage alone", async () => {
  writeScriptedGguf(file("whole.gguf"), { script: [] });
  expect(await load(file("whole.gguf"))).toMatchObject({ code: 0, said: "loaded\n" });
});

test("a truncated file is refused by the engine", async () => {
  const bytes = writeDamagedGguf(file("truncated.gguf"), "truncated");
  expect(statSync(file("truncated.gguf")).size).toBe(bytes);
  expect(await load(file("truncated.gguf"))).toMatchObject({
    code: 0,
    said: expect.stringContaining("Error: Failed to load model"),
  });
});

test("random bytes are refused as no model", async () => {
  writeDamagedGguf(file("random.gguf"), "random-bytes");
  expect((await load(file("random.gguf"))).said).toMatch(/InvalidGgufMagicError/);
});

test("an inconsistent file ends the process that loads it", async () => {
  writeDamagedGguf(file("inconsistent.gguf"), "inconsistent");
  const { signal, said } = await load(file("inconsistent.gguf"));
  expect(signal).toBe("SIGABRT");
  expect(said).toMatch(/GGML_ASSERT/);
});
