import { describe, expect, test } from "vitest";

import { createLineDecoder, createSseDecoder, type Decoder, type SseEvent } from "../src/index.ts";

/** Park and Miller's generator: the same seed gives the same case again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

const SNIPPETS = [
  ..."\n\r:ae \uFEFF\u2028\0é👋".split(""),
  "\r\n",
  "\n\n",
  "\r\r",
  "data:",
  "data: ",
  "data",
  "event: ",
  "event:x\n",
  "id: 1",
  "id: \0",
  "id",
  "retry: 3",
  ": hello\n",
];

function randomBytes(random: (below: number) => number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let count = random(40); count >= 0; count -= 1) {
    if (random(12) === 0) parts.push(Uint8Array.of(random(256), random(256)));
    else parts.push(new TextEncoder().encode(SNIPPETS[random(SNIPPETS.length)]));
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function cut<Piece>(decoder: Decoder<Piece>, bytes: Uint8Array, random: (below: number) => number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = random(9);
    pieces.push(...decoder.add(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...pieces, ...decoder.end()];
}

const naiveLines = (bytes: Uint8Array): string[] =>
  new TextDecoder()
    .decode(bytes)
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
    .filter((line) => line !== "");

/** The standard's own steps, over the whole text at once. */
function naiveSse(bytes: Uint8Array): SseEvent[] {
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\n|\r/);
  lines.pop();
  const events: SseEvent[] = [];
  let [data, event, id] = ["", "", undefined as string | undefined];
  for (const line of lines) {
    if (line === "") {
      if (data !== "") events.push({ event: event || "message", data: data.slice(0, -1), id });
      [data, event] = ["", ""];
      continue;
    }
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
    if (field === "data") data += `${value}\n`;
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
  }
  return events;
}

describe("random bytes, cut at random, are read as by one who has the whole text", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("seed %i", (seed) => {
    const random = randomOf(seed);
    for (let round = 0; round < 1_500; round += 1) {
      const bytes = randomBytes(random);
      const shown = [...bytes].join(" ");
      const [lines, events] = [createLineDecoder(), createSseDecoder()];
      expect([shown, cut(lines, bytes, random)]).toEqual([shown, naiveLines(bytes)]);
      expect([shown, cut(events, bytes, random)]).toEqual([shown, naiveSse(bytes)]);
    }
  });
});

test("an event ended by CR alone comes at once, not with the next one", () => {
  const decoder = createSseDecoder();
  expect(decoder.add(new TextEncoder().encode("data: a\r\r"))).toHaveLength(1);
  expect(decoder.add(new TextEncoder().encode("\ndata: b\r\n\r\n"))).toHaveLength(1);
});

test.each([
  ["lines", createLineDecoder, ""],
  ["server-sent events", createSseDecoder, "data: "],
] as const)(
  "a very long piece of %s in small parts takes a time that grows with its length alone",
  (_, make, prefix) => {
    const decoder = make();
    const part = new TextEncoder().encode("x".repeat(256));
    const began = performance.now();
    decoder.add(new TextEncoder().encode(prefix));
    for (let count = 0; count < 60_000; count += 1) decoder.add(part);
    expect(decoder.add(new TextEncoder().encode("\n\n"))).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(4_000);
  },
);
