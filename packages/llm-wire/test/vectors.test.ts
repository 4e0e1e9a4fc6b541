import { expect, test } from "vitest";

import { readVectors } from "../src/index.ts";

test("rows of numbers are vectors", () => {
  expect(readVectors([[1, 0.5], []])).toEqual([Float32Array.of(1, 0.5), new Float32Array()]);
});

test.each([[undefined], ["x"], [{}], [[[1], null]], [[[1, null]]], [[["1"]]], [[[[1]]]]])(
  "%j is no list of them",
  (rows) => {
    expect(() => readVectors(rows)).toThrow(
      expect.objectContaining({ code: "invalid-response", message: expect.stringContaining("embeddings: ") }),
    );
  },
);
