import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { LlmError } from "@enginehouse/llm-core";

import { type GgufHeader, readGguf } from "./gguf.ts";

/** A GGUF model on disk: one file, or the first of several with all that belongs to it. */
export interface ModelOnDisk {
  /** Of the first part: its header has the metadata. */
  readonly header: GgufHeader;
  readonly paths: readonly string[];
  readonly sizeBytes: number;
  readonly weightBytes: number;
  readonly parameters: number;
  readonly modifiedAt: Date;
}

const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

export interface PartName {
  readonly stem: string;
  readonly index: number;
  readonly count: number;
}

/** `model-00001-of-00003.gguf` taken apart. */
export function readPartName(name: string): PartName | undefined {
  const match = PART.exec(name);
  const [, stem, index, count] = match ?? [];
  if (stem === undefined || index === undefined || count === undefined) return undefined;
  const part = { stem, index: Number(index), count: Number(count) };
  return part.index >= 1 && part.index <= part.count && part.count <= 1_000 ? part : undefined;
}

/** The names of all parts, or the name itself. */
export function partNames(name: string): readonly string[] {
  const part = readPartName(name);
  if (part === undefined) return [name];
  const five = (index: number): string => String(index).padStart(5, "0");
  return Array.from(
    { length: part.count },
    (_, index) => `${part.stem}-${five(index + 1)}-of-${five(part.count)}.gguf`,
  );
}

/** Reads every part's header. Throws `model-load-failed` for one that is missing, truncated or damaged. */
export async function readModelFile(
  path: string,
  read: (path: string) => Promise<GgufHeader> = readGguf,
): Promise<ModelOnDisk> {
  const paths = partNames(basename(path)).map((name) => join(dirname(path), name));
  const stats = await Promise.all(paths.map((one) => stat(one).catch(() => undefined)));
  const missing = stats.findIndex((one) => one === undefined);
  if (missing !== -1) {
    throw new LlmError("model-load-failed", `${basename(paths[missing] ?? path)} is missing`, {
      hint: paths.length > 1 ? "Fetch all parts of the model into one folder." : "Fetch the model again.",
    });
  }
  const odd = stats.findIndex((one) => one?.isFile() === false);
  if (odd !== -1) throw new LlmError("model-load-failed", `${basename(paths[odd] ?? path)} is no file`);
  const headers = await Promise.all(paths.map((one) => read(one)));
  const [header] = headers;
  if (header === undefined) throw new LlmError("model-load-failed", `${path} has no parts`);
  for (const [index, one] of headers.entries()) {
    if (one.fileBytes >= one.expectedBytes) continue;
    throw new LlmError(
      "model-load-failed",
      `${basename(paths[index] ?? path)} is truncated: it has ${one.fileBytes} of ${one.expectedBytes} bytes`,
      {
        hint: "Delete the file and fetch it again.",
      },
    );
  }
  return {
    header,
    paths,
    sizeBytes: headers.reduce((sum, one) => sum + one.fileBytes, 0),
    weightBytes: headers.reduce((sum, one) => sum + one.weightBytes, 0),
    parameters: headers.reduce((sum, one) => sum + one.parameters, 0),
    modifiedAt: new Date(Math.max(...stats.map((one) => one?.mtimeMs ?? 0))),
  };
}
