import { describe, expect, test } from "vitest";

import { createLineDecoder, createSseDecoder, type Decoder } from "../src/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** All pieces, when the bytes arrive `size` at a time. */
function decode<Piece>(decoder: Decoder<Piece>, all: Uint8Array, size: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < all.length; at += size) pieces.push(...decoder.add(all.subarray(at, at + size)));
  return [...pieces, ...decoder.end()];
}

const sizes = [1, 2, 3, 5, 7, 64, 100_000];

describe("lines", () => {
  const text = '{"a":"grüß 👩‍👩‍👧 \u2028"}\n\r\n\n{"b":2}\r\n{"c":3}\n';
  const expected = ['{"a":"grüß 👩‍👩‍👧 \u2028"}', '{"b":2}', '{"c":3}'];

  test.each(sizes)("are the same in pieces of %i bytes", (size) => {
    expect(decode(createLineDecoder(), bytes(text), size)).toEqual(expected);
  });

  test.each([
    ["one\ntwo\n", ["one", "two"]],
    ["one\n\n", ["one"]],
    ["one\r\n", ["one"]],
    ["one\ntwo", ["one"]],
    ["\n", []],
  ])("that come in one read %j are all given", (read, lines) => {
    expect(createLineDecoder().add(bytes(read))).toEqual(lines);
  });

  test("count also without an end", () => {
    expect(decode(createLineDecoder(), bytes("one\ntwo"), 3)).toEqual(["one", "two"]);
    expect(decode(createLineDecoder(), bytes("one\ntwo\r"), 3)).toEqual(["one", "two"]);
    expect(createLineDecoder().end()).toEqual([]);
  });

  test("keep a lone CR inside", () => {
    expect(decode(createLineDecoder(), bytes("a\rb\n"), 1)).toEqual(["a\rb"]);
  });

  test("replace what is no UTF-8 instead of losing the line", () => {
    expect(decode(createLineDecoder(), new Uint8Array([0x61, 0xff, 0x62, 0x0a]), 1)).toEqual(["a\uFFFDb"]);
  });

  test("without an end are refused beyond the limit", () => {
    const decoder = createLineDecoder({ limit: 10 });
    decoder.add(bytes("12345678"));
    expect(() => decoder.add(bytes("90123"))).toThrow(/without an end of line/);
  });
});

describe("server-sent events", () => {
  const body =
    "\uFEFF: comment\n\nevent: ping\ndata\n\ndata: one\ndata:two\ndata:  three\nid: 7\nretry: 5\nunknown: x\n\n" +
    'event: nothing\n\ndata: {"t":"ü👋"}\n\ndata: never closed\n';
  const expected = [
    { event: "ping", data: "", id: undefined },
    { event: "message", data: "one\ntwo\n three", id: "7" },
    { event: "message", data: '{"t":"ü👋"}', id: "7" },
  ];

  for (const [name, end] of [
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ] as const) {
    test.each(sizes)(`with ${name} are the same in pieces of %i bytes`, (size) => {
      expect(decode(createSseDecoder(), bytes(body.replaceAll("\n", end)), size)).toEqual(expected);
    });
  }

  test.each([
    ["data: a\n\ndata: b\n\n", ["a", "b"]],
    ["data: a\n\ndata: b\n", ["a"]],
    ["data: a\n\n\n", ["a"]],
    ["data: a\ndata: b\n\n", ["a\nb"]],
  ])("that come in one read %j are all given", (read, data) => {
    expect(
      createSseDecoder()
        .add(bytes(read))
        .map((event) => event.data),
    ).toEqual(data);
  });

  test.each([
    [["event: ping\n", "data: a\n\n"], { event: "ping", data: "a", id: undefined }],
    [["data: a\n", "data: b\n\n"], { event: "message", data: "a\nb", id: undefined }],
    [["id: 7\n", "data: a\n\n"], { event: "message", data: "a", id: "7" }],
    [["xdata: n", "data: a\n\n"], undefined],
  ])("keep what earlier reads said of them: %j", (reads, event) => {
    const decoder = createSseDecoder();
    expect(reads.flatMap((read) => decoder.add(bytes(read)))).toEqual(event === undefined ? [] : [event]);
  });

  test("come as soon as their blank line is there", () => {
    const decoder = createSseDecoder();
    expect(decoder.add(bytes("data: a\n"))).toEqual([]);
    expect(decoder.add(bytes("\ndata: b\n\n"))).toHaveLength(2);
  });

  // Every line of it is a field that is not known, so that nothing at all would come of it.
  test.each(["<!DOCTYPE html>\n<p>nginx</p>\n", "\n  <html><p>Welcome</p></html>"])(
    "are refused where a web page comes instead: %j",
    (page) => {
      for (const size of [1, 7, 100])
        expect(() => decode(createSseDecoder(), bytes(page), size)).toThrow(/web page/);
    },
  );

  test("may have any line between them that no web page begins with", () => {
    expect(decode(createSseDecoder(), bytes("<b\ndata: a\n\n<html>\n\n"), 7)).toHaveLength(1);
  });

  test("are refused beyond the limit, whether in one line or in many", () => {
    expect(() => createSseDecoder({ limit: 10 }).add(bytes("data: 1234567890"))).toThrow(/end of line/);
    const many = createSseDecoder({ limit: 10 });
    expect(() => many.add(bytes("data: 12345\ndata: 67890\ndata: 1\n"))).toThrow(/end of line/);
  });
});
