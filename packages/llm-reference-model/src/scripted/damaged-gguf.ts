import { truncateSync, writeFileSync } from "node:fs";

import { writeGgufFile, type GgufContent } from "./gguf-file.ts";
import { randomNumbers } from "./random-numbers.ts";
import { scriptedModel, writeScriptedGguf } from "./scripted-gguf.ts";

/**
 * `truncated`: the last half of the weights is missing, as after a download that broke off.
 * `random-bytes`: not a model at all.
 * `inconsistent`: well-formed, but with one token twice. llama.cpp aborts its process on it: load it in a child only.
 */
export type Damage = "truncated" | "random-bytes" | "inconsistent";

/** Writes a file with the name of a model that no engine can load, and says how many bytes it has. */
export function writeDamagedGguf(path: string, damage: Damage): number {
  switch (damage) {
    case "truncated": {
      const half = Math.floor(writeScriptedGguf(path, { script: [] }) / 2);
      truncateSync(path, half);
      return half;
    }
    case "random-bytes": {
      const { uniform } = randomNumbers(1);
      const bytes = Uint8Array.from({ length: 65_536 }, () => Math.floor(uniform() * 256));
      writeFileSync(path, bytes);
      return bytes.length;
    }
    case "inconsistent":
      return writeGgufFile(path, withRepeatedToken(scriptedModel({ script: [] })));
  }
}

function withRepeatedToken(model: GgufContent): GgufContent {
  const key = "tokenizer.ggml.tokens";
  const tokens = model.metadata[key];
  if (tokens?.type !== "strings") throw new Error(`The model has no ${key}.`);
  const value = tokens.value.map((token, id) => (id === 1 ? (tokens.value[0] ?? token) : token));
  return { ...model, metadata: { ...model.metadata, [key]: { type: "strings", value } } };
}
