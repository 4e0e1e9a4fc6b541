import { closeSync, openSync, writeSync } from "node:fs";

/** One metadata value with its GGUF type. Arrays hold one type. */
export type GgufValue =
  | { readonly type: "u32" | "i32" | "f32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "i32s"; readonly value: readonly number[] };

/** A float32 tensor. `shape` is written fastest dimension first, as GGUF has it: `[columns, rows]`. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface GgufContent {
  readonly metadata: Readonly<Record<string, GgufValue>>;
  readonly tensors: readonly GgufTensor[];
}

const ALIGNMENT = 32;
const TYPE_CODE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;
const FLOAT32 = 0;

/** Writes a GGUF file (version 3, float32 tensors) and says how many bytes it has. */
export function writeGgufFile(path: string, { metadata, tensors }: GgufContent): number {
  const header: Buffer[] = [
    Buffer.from("GGUF"),
    u32(3),
    u64(tensors.length),
    u64(Object.keys(metadata).length),
  ];
  for (const [key, value] of Object.entries(metadata)) header.push(text(key), ...encodeValue(value));
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    header.push(text(name), u32(shape.length), ...shape.map(u64), u32(FLOAT32), u64(offset));
    offset += padded(data.byteLength);
  }

  const file = openSync(path, "w");
  let written = 0;
  const write = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    const gap = padded(bytes.length) - bytes.length;
    if (gap > 0) writeSync(file, Buffer.alloc(gap));
    written += bytes.length + gap;
  };
  try {
    write(Buffer.concat(header));
    for (const { data } of tensors) write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } finally {
    closeSync(file);
  }
  return written;
}

function encodeValue(entry: GgufValue): Buffer[] {
  switch (entry.type) {
    case "u32":
      return [u32(TYPE_CODE.u32), u32(entry.value)];
    case "i32":
      return [u32(TYPE_CODE.i32), i32(entry.value)];
    case "f32":
      return [u32(TYPE_CODE.f32), f32(entry.value)];
    case "bool":
      return [u32(TYPE_CODE.bool), Buffer.from([entry.value ? 1 : 0])];
    case "string":
      return [u32(TYPE_CODE.string), text(entry.value)];
    case "strings":
      return [
        u32(TYPE_CODE.array),
        u32(TYPE_CODE.string),
        u64(entry.value.length),
        ...entry.value.map((item) => text(item)),
      ];
    case "i32s":
      return [
        u32(TYPE_CODE.array),
        u32(TYPE_CODE.i32),
        u64(entry.value.length),
        ...entry.value.map((item) => i32(item)),
      ];
  }
}

const padded = (length: number) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
