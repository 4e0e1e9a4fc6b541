/** Cuts bytes into lines. A line that is not whole waits for the next bytes. */
export interface LineDecoder {
  add(bytes: Uint8Array): readonly string[];
  /** What is left when the bytes end. */
  end(): readonly string[];
}

export function createLines(): LineDecoder {
  const decoder = new TextDecoder();
  let rest = "";
  const wanted = (lines: readonly string[]): string[] =>
    lines.map((line) => line.trimEnd()).filter((line) => line !== "");
  return {
    add(bytes) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      return wanted(lines);
    },
    end: () => wanted([rest + decoder.decode()]),
  };
}
