import type { FileHandle } from "node:fs/promises";

/** Reads a file from its start, a little at a time, and never beyond `limit`. */
export interface FileReader {
  readonly position: number;
  /** The next bytes; valid until the next call. Throws `RangeError` at the end. */
  take(length: number): Promise<Buffer>;
  skip(length: number): Promise<void>;
}

const CHUNK = 256 * 1024;

export function createFileReader(file: FileHandle, limit: number): FileReader {
  let position = 0;
  let chunk = Buffer.alloc(0);
  let chunkStart = 0;

  function assertInside(length: number): void {
    if (position + length > limit)
      throw new RangeError(`it ends at byte ${limit}, in the middle of its header`);
  }

  return {
    get position() {
      return position;
    },
    async take(length) {
      assertInside(length);
      const start = position - chunkStart;
      if (start < 0 || start + length > chunk.length) {
        const wanted = Buffer.allocUnsafe(Math.min(Math.max(length, CHUNK), limit - position));
        const { bytesRead } = await file.read(wanted, 0, wanted.length, position);
        chunk = wanted.subarray(0, bytesRead);
        chunkStart = position;
        if (bytesRead < length)
          throw new RangeError(`it ends at byte ${position + bytesRead}, in the middle of its header`);
      }
      const from = position - chunkStart;
      position += length;
      return chunk.subarray(from, from + length);
    },
    async skip(length) {
      assertInside(length);
      position += length;
    },
  };
}
