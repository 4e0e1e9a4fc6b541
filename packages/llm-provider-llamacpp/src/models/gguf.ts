import { open } from "node:fs/promises";

import { LlmError } from "@enginehouse/llm-core";

import { createFileReader, type FileReader } from "./file-reader.ts";
import { bytesOfTensor } from "./quantization.ts";

/**
 * What a GGUF file says of itself, read without the engine: the file may come from anywhere, and llama.cpp ends the
 * process on an inconsistent one. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** All weights, in bytes. */
  readonly weightBytes: number;
  /** Numbers in all tensors. */
  readonly parameters: number;
  /** As long as the tensors say the file is; a shorter one is truncated. */
  readonly expectedBytes: number;
  readonly fileBytes: number;
}

export interface GgufTensor {
  readonly name: string;
  readonly type: number;
  readonly elements: number;
}

/** Long lists, such as the vocabulary, are kept as their length only. */
export type GgufValue =
  | string
  | number
  | boolean
  | readonly (string | number | boolean)[]
  | { readonly length: number };

const MAX_ENTRIES = 20_000;
const MAX_TENSORS = 200_000;
const MAX_LIST = 4_000_000;
const MAX_TEXT = 8_000_000;
const KEPT_ITEMS = 128;
/** The largest vocabularies take some 10 MB. A list of models reads the header of every file in the folder. */
const MAX_HEADER = 64_000_000;

const SCALARS: ReadonlyMap<number, readonly [bytes: number, read: (view: DataView) => number | boolean]> =
  new Map([
    [0, [1, (view: DataView) => view.getUint8(0)]],
    [1, [1, (view: DataView) => view.getInt8(0)]],
    [2, [2, (view: DataView) => view.getUint16(0, true)]],
    [3, [2, (view: DataView) => view.getInt16(0, true)]],
    [4, [4, (view: DataView) => view.getUint32(0, true)]],
    [5, [4, (view: DataView) => view.getInt32(0, true)]],
    [6, [4, (view: DataView) => view.getFloat32(0, true)]],
    [7, [1, (view: DataView) => view.getUint8(0) !== 0]],
    [10, [8, (view: DataView) => Number(view.getBigUint64(0, true))]],
    [11, [8, (view: DataView) => Number(view.getBigInt64(0, true))]],
    [12, [8, (view: DataView) => view.getFloat64(0, true)]],
  ] as const);
const TEXT = 8;
const LIST = 9;

/** Throws `model-load-failed` with what is wrong with the file. */
export async function readGguf(path: string): Promise<GgufHeader> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw new LlmError(
      "model-load-failed",
      `${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  });
  try {
    const { size } = await file.stat();
    return await readHeader(createFileReader(file, Math.min(size, MAX_HEADER)), size);
  } catch (error) {
    const damaged = error instanceof RangeError;
    const text = error instanceof Error ? error.message : String(error);
    throw new LlmError("model-load-failed", `${path} ${damaged ? "is damaged" : "cannot be read"}: ${text}`, {
      cause: error,
      ...(damaged ? { hint: "Delete the file and fetch it again." } : {}),
    });
  } finally {
    await file.close();
  }
}

async function readHeader(reader: FileReader, fileBytes: number): Promise<GgufHeader> {
  if (fileBytes === 0) throw new RangeError("it is empty");
  if (fileBytes < 24 || (await reader.take(4)).toString("latin1") !== "GGUF")
    throw new RangeError("it is no GGUF file");
  const version = (await reader.take(4)).readUInt32LE(0);
  if (version !== 2 && version !== 3) throw new RangeError(`its GGUF version ${version} is not 2 or 3`);
  const tensorCount = await readCount(reader, MAX_TENSORS, "tensors");
  const entryCount = await readCount(reader, MAX_ENTRIES, "entries");
  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < entryCount; index++) {
    const key = await readText(reader, 65_535);
    metadata.set(key, await readValue(reader, (await reader.take(4)).readUInt32LE(0), 0));
  }
  const tensors: GgufTensor[] = [];
  let weightBytes = 0;
  let parameters = 0;
  let end = 0;
  for (let index = 0; index < tensorCount; index++) {
    const name = await readText(reader, 1_024);
    const dimensions = (await reader.take(4)).readUInt32LE(0);
    if (dimensions > 8) throw new RangeError(`its tensor "${name}" has ${dimensions} dimensions`);
    let elements = 1;
    for (let dimension = 0; dimension < dimensions; dimension++) elements *= await readInteger(reader);
    const type = (await reader.take(4)).readUInt32LE(0);
    const offset = await readInteger(reader);
    if (!Number.isSafeInteger(elements)) throw new RangeError(`its tensor "${name}" is impossibly large`);
    const bytes = bytesOfTensor(type, elements) ?? 0;
    weightBytes += bytes;
    parameters += elements;
    end = Math.max(end, offset + bytes);
    tensors.push({ name, type, elements });
  }
  const stated = metadata.get("general.alignment");
  const alignment = typeof stated === "number" && stated > 0 && stated <= 65_536 ? stated : 32;
  const data = Math.ceil(reader.position / alignment) * alignment;
  return {
    metadata,
    tensors,
    weightBytes,
    parameters,
    expectedBytes: tensorCount === 0 ? reader.position : data + end,
    fileBytes,
  };
}

async function readValue(reader: FileReader, type: number, depth: number): Promise<GgufValue> {
  if (type === TEXT) return readText(reader, MAX_TEXT);
  const scalar = SCALARS.get(type);
  if (scalar !== undefined) return readScalar(await reader.take(scalar[0]), scalar[1]);
  if (type !== LIST || depth > 3) throw new RangeError(`it has a value of unknown type ${type}`);
  const itemType = (await reader.take(4)).readUInt32LE(0);
  const length = await readCount(reader, MAX_LIST, "items in one list");
  const fixed = SCALARS.get(itemType);
  if (length > KEPT_ITEMS && fixed !== undefined) {
    await reader.skip(length * fixed[0]);
    return { length };
  }
  const kept: (string | number | boolean)[] = [];
  for (let index = 0; index < length; index++) {
    if (itemType === TEXT && length > KEPT_ITEMS) {
      await reader.skip(await readCount(reader, MAX_TEXT, "bytes in one text"));
      continue;
    }
    const item = await readValue(reader, itemType, depth + 1);
    if (typeof item !== "object") kept.push(item);
  }
  return kept.length === length ? kept : { length };
}

function readScalar(bytes: Buffer, read: (view: DataView) => number | boolean): number | boolean {
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

async function readText(reader: FileReader, longest: number): Promise<string> {
  const length = await readCount(reader, longest, "bytes in one text");
  return (await reader.take(length)).toString("utf8");
}

async function readInteger(reader: FileReader): Promise<number> {
  return Number((await reader.take(8)).readBigUInt64LE(0));
}

async function readCount(reader: FileReader, most: number, what: string): Promise<number> {
  const count = await readInteger(reader);
  if (count > most) throw new RangeError(`it claims ${count} ${what}`);
  return count;
}
