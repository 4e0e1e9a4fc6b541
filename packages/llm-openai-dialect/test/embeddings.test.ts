import { expect, test } from "vitest";

import { decodeEmbed, encodeEmbed, PLAIN } from "../src/index.ts";

const data = (...rows: readonly object[]): object => ({ data: rows, usage: { prompt_tokens: 5 } });

test("texts go as a list, in the form that the server can", () => {
  const batch = { model: "m", texts: ["a"], dimensions: 8 };
  expect(encodeEmbed(batch, PLAIN)).toEqual({
    model: "m",
    input: ["a"],
    encoding_format: "base64",
    dimensions: 8,
  });
  expect(encodeEmbed({ model: "m", texts: ["a"] }, { ...PLAIN, base64: false })).toEqual({
    model: "m",
    input: ["a"],
    encoding_format: "float",
  });
});

test("vectors come in the order of the texts", () => {
  const reply = data({ index: 1, embedding: [0, 5] }, { index: 0, embedding: [3, 4] });
  const { vectors, inputTokens } = decodeEmbed(reply, 2);
  expect(vectors.map((vector) => [...vector])).toEqual([
    [3, 4],
    [0, 5],
  ]);
  expect(inputTokens).toBe(5);
});

test.each([
  ["too few", data({ index: 0, embedding: [1] })],
  ["too many", data({ embedding: [1] }, { embedding: [1] }, { embedding: [1] })],
  ["one twice", data({ index: 0, embedding: [1] }, { index: 0, embedding: [1] })],
  ["one that is no list", data({ index: 0, embedding: null }, { index: 1, embedding: [1] })],
  ["half a number", data({ index: 0, embedding: "AAAA" }, { index: 1, embedding: [1] })],
  ["no list at all", { object: "list" }],
  ["a page", "<html>"],
])("a reply with %s is invalid", (_, reply) => {
  expect(() => decodeEmbed(reply, 2)).toThrowError(
    expect.objectContaining({ code: "invalid-response" }) as Error,
  );
});

test("a place that no text has is refused, however far away", () => {
  const far = data({ index: 4e9, embedding: [1] }, { index: 0, embedding: [1] });
  expect(() => decodeEmbed(far, 2)).toThrow(/vector 0 has the index 4000000000, of 2 texts/);
});

test("an error with status 200 is an error", () => {
  expect(() => decodeEmbed({ error: { message: "No models loaded" } }, 1)).toThrowError(
    expect.objectContaining({ code: "model-not-found" }) as Error,
  );
});

test("texts of no tokens are ones that the server did not count", () => {
  const reply = { data: [{ index: 0, embedding: [1] }], usage: { prompt_tokens: 0, total_tokens: 0 } };
  expect(decodeEmbed(reply, 1).inputTokens).toBeUndefined();
});
