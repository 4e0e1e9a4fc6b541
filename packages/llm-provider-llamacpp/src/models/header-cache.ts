import { stat } from "node:fs/promises";

import { type GgufHeader, readGguf } from "./gguf.ts";

/** Reading a large vocabulary takes tens of milliseconds: a file that has not changed is not read twice. */
export interface HeaderCache {
  read(path: string): Promise<GgufHeader>;
}

const CACHED = 1_000;

export function createHeaderCache(): HeaderCache {
  const known = new Map<string, { readonly stamp: string; readonly header: Promise<GgufHeader> }>();
  return {
    async read(path) {
      const { size, mtimeMs, ino } = await stat(path);
      const stamp = `${size} ${mtimeMs} ${ino}`;
      const found = known.get(path);
      if (found?.stamp === stamp) return found.header;
      const header = readGguf(path);
      known.delete(path);
      known.set(path, { stamp, header });
      header.catch(() => {
        if (known.get(path)?.header === header) known.delete(path);
      });
      for (const oldest of known.keys()) {
        if (known.size <= CACHED) break;
        known.delete(oldest);
      }
      return header;
    },
  };
}
