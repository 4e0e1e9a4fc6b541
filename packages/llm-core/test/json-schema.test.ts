import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";

import { eachSchema, faultsOfSchema, faultsOfValue } from "../src/json-schema.ts";

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
  { type: "array", contains: { type: "number", minimum: 2 }, minContains: 0, maxContains: 1 },
  { type: "object", minProperties: 1, maxProperties: 1 },
  { type: "object", propertyNames: { maxLength: 1 } },
  { dependentRequired: { a: ["b"] }, dependentSchemas: { b: { maxProperties: 1 } } },
  { $ref: "#name", $defs: { n: { $anchor: "name", type: "string" } } },
  { required: ["hasOwnProperty"], properties: { toString: false } },
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
  const ajv = new Ajv2020({ strict: false, ownProperties: true });
  for (const schema of SCHEMAS) {
    const validate = ajv.compile(schema);
    for (const value of VALUES)
      expect([schema, value, faultsOfValue(value, schema).length === 0]).toEqual([
        schema,
        value,
        validate(value),
      ]);
  }
});

test("a fault says where it is and what was expected", () => {
  const schema = { properties: { items: { items: { properties: { "a/b": { type: "number" } } } } } };
  expect(faultsOfValue({ items: [{}, { "a/b": "x" }] }, schema)).toEqual([
    { at: "/items/1/a~1b", message: "expected number, got string" },
  ]);
});

test("a schema that refers to itself is followed, and to nothing it is a fault", () => {
  const tree = { type: "object", properties: { next: { $ref: "#" } }, required: ["n"] };
  expect(faultsOfValue({ n: 1, next: { n: 2, next: {} } }, tree)).toMatchObject([{ at: "/next/next" }]);
  expect(faultsOfValue(1, { $ref: "#" })).toMatchObject([{ message: expect.stringContaining("too deeply") }]);
});

test.each([
  [{ type: "number" }, "1e999", ["it is too large a number"]],
  [{ multipleOf: 0.1 }, "0.3", []],
  [{ format: "date" }, '"2024-02-30"', ["expected the format date"]],
  [{ format: "date-time" }, '"2024-02-29T23:59:59Z"', []],
  [{ format: "time" }, '"25:00:00Z"', ["expected the format time"]],
  [{ format: "uuid" }, '"x"', ["expected the format uuid"]],
  [{ format: "toString" }, '"x"', []],
  [{ pattern: String.raw`^a\-b$` }, '"a+b"', [String.raw`expected the pattern ^a\-b$`]],
  [{ items: [{ type: "string" }], additionalItems: false }, '["a", 1]', ["nothing is allowed here"]],
])("%j holds %s as people expect it", (schema, json, says) => {
  const faults = faultsOfValue(JSON.parse(json), schema);
  expect(faults.map(({ message }) => message)).toEqual(says);
});

test("what no value can be held to is told before there is one, with its place in the schema", () => {
  const schema = {
    properties: { "a/b": { unevaluatedProperties: false }, dependencies: { type: "string" } },
    anyOf: [{ $ref: "#/$defs/none" }, { $ref: "https://example.com/other" }],
    patternProperties: { "(": { pattern: "[" } },
    // The names of properties and the values of an enum are no keywords.
    enum: [{ $dynamicRef: "#x" }],
  };
  expect(faultsOfSchema(schema)).toEqual([
    { at: "", message: "the pattern ( is no regular expression of JavaScript" },
    { at: "/properties/a~1b", message: '"unevaluatedProperties" is not known here' },
    { at: "/anyOf/0", message: "it refers to #/$defs/none, which is not in it" },
    { at: "/anyOf/1", message: "it refers to https://example.com/other, which is not in it" },
    { at: "/patternProperties/(", message: "the pattern [ is no regular expression of JavaScript" },
  ]);
  expect(faultsOfValue({ "a/b": { x: 1 } }, schema.properties["a/b"])).toEqual([]);
  expect(SCHEMAS.flatMap((one) => faultsOfSchema(one))).toEqual([]);
});

test("every schema inside a schema is visited once", () => {
  const places: string[] = [];
  const schema = {
    allOf: [{ not: { items: {} } }, true],
    properties: { not: { else: 1 } },
    const: { not: {} },
  };
  eachSchema(schema, (_, at) => places.push(at));
  expect(places).toEqual(["", "/allOf/0", "/allOf/0/not", "/allOf/0/not/items", "/properties/not"]);
});
