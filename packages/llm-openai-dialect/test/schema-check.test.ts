import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";

import { checkValue } from "../src/index.ts";

const SCHEMAS: readonly (object | boolean)[] = [
  { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false },
  { type: ["integer", "null"], minimum: 0, exclusiveMaximum: 10, multipleOf: 2 },
  { enum: [1, "a", null, { x: [1] }] },
  { const: { a: 1 } },
  { anyOf: [{ type: "string", minLength: 2 }, { type: "number" }] },
  { oneOf: [{ type: "number" }, { minimum: 5 }] },
  { allOf: [{ type: "object" }, { required: ["b"] }] },
  { not: { type: "string" } },
  {
    type: "array",
    items: { $ref: "#/$defs/n" },
    maxItems: 3,
    uniqueItems: true,
    $defs: { n: { type: "number" } },
  },
  { type: "array", prefixItems: [{ type: "string" }, { type: "number" }], items: false },
  {
    type: "object",
    patternProperties: { "^x": { type: "number" } },
    additionalProperties: { type: "string" },
  },
  // oxlint-disable-next-line unicorn/no-thenable
  { if: { type: "string" }, then: { maxLength: 1 }, else: { type: "number" } },
  { type: "array", contains: { const: 1 } },
  { type: "string", pattern: "^[a-z]+$", maxLength: 4 },
  { type: "object", minProperties: 1, maxProperties: 1 },
  true,
  false,
];

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  1,
  2,
  4,
  5,
  10,
  1.5,
  -2,
  "",
  "a",
  "ab",
  "abcde",
  "😀😀",
  [],
  [1],
  [1, 1],
  ["a", 1],
  ["a", 1, 2],
  [1, 2, 3, 4],
  {},
  { a: 1 },
  { a: "x" },
  { a: "x", b: 1 },
  { b: 1 },
  { x1: 1 },
  { x1: "a" },
  { x: [1] },
  { hasOwnProperty: 1 },
];

test("it agrees with a full validator on every schema and value", () => {
  const ajv = new Ajv2020({ strict: false });
  for (const schema of SCHEMAS) {
    const validate = ajv.compile(schema);
    for (const value of VALUES)
      expect([schema, value, checkValue(value, schema).length === 0]).toEqual([
        schema,
        value,
        validate(value),
      ]);
  }
});

test("a fault says where it is and what was expected", () => {
  const schema = { properties: { items: { items: { properties: { "a/b": { type: "number" } } } } } };
  expect(checkValue({ items: [{}, { "a/b": "x" }] }, schema)).toEqual([
    { at: "/items/1/a~1b", message: "expected number, got string" },
  ]);
});

test("a schema that refers to itself is followed, and to nothing it is a fault", () => {
  const tree = { type: "object", properties: { next: { $ref: "#" } }, required: ["n"] };
  expect(checkValue({ n: 1, next: { n: 2, next: {} } }, tree)).toMatchObject([{ at: "/next/next" }]);
  expect(checkValue(1, { $ref: "#/nowhere" })).toHaveLength(1);
});
