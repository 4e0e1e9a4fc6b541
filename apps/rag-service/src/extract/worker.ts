import { readFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";

import { chunk, type ChunkSettings } from "../chunk/chunk.ts";
import type { JobError, StagedWindow } from "../store/store.ts";
import { extract } from "./extract.ts";
import type { Extracted } from "./extracted.ts";
import { readRefusal, unreadable } from "./refusal.ts";

export interface ReadRequest {
  readonly id: number;
  readonly path: string;
  readonly name: string;
  readonly mediaType: string | undefined;
  readonly chunk: ChunkSettings;
}

export interface ReadDocument extends Omit<Extracted, "blocks"> {
  readonly windows: readonly StagedWindow[];
}

export type ReadReply =
  | {
      readonly id: number;
      readonly stage: "extracting" | "chunking";
      readonly done: number;
      readonly total: number | undefined;
    }
  | { readonly id: number; readonly document: ReadDocument }
  | { readonly id: number; readonly error: JobError };

if (parentPort === null) throw new Error("this module is the body of a worker thread");
const port = parentPort;

port.on("message", (request: ReadRequest) => {
  void read(request).then((reply) => port.postMessage(reply));
});

async function read({ id, path, name, mediaType, chunk: settings }: ReadRequest): Promise<ReadReply> {
  const tell = (reply: ReadReply) => port.postMessage(reply);
  try {
    const bytes = new Uint8Array(await readFile(path));
    const { blocks, ...extracted } = await extract({ bytes, name, mediaType }, (done, total) => {
      tell({ id, stage: "extracting", done, total });
    });
    tell({ id, stage: "chunking", done: 0, total: undefined });
    return { id, document: { ...extracted, windows: chunk({ text: extracted.text, blocks }, settings) } };
  } catch (error) {
    return { id, error: readRefusal(error) ?? unreadable(`file "${name}"`, error) };
  }
}
