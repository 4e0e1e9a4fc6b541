import { getLlama, type Llama, LlamaLogLevel } from "node-llama-cpp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { compileGrammar } from "../src/grammar/grammar.ts";
import { rewriteSchema } from "../src/grammar/rewrite.ts";

let llama: Llama;
beforeAll(async () => {
  llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    logLevel: LlamaLogLevel.disabled,
    maxThreads: 1,
  });
});
afterAll(() => llama.dispose());

/** Asks llama.cpp itself, through the binding's own test of a text. */
async function admits(gbnf: string, text: string): Promise<boolean> {
  const grammar: unknown = await llama.createGrammar({ grammar: gbnf });
  const inner: unknown =
    typeof grammar === "object" && grammar !== null ? Reflect.get(grammar, "_grammar") : undefined;
  const isTextCompatible: unknown =
    typeof inner === "object" && inner !== null ? Reflect.get(inner, "isTextCompatible") : undefined;
  if (typeof isTextCompatible !== "function") throw new Error("the binding has no test of a text any more");
  return Reflect.apply(isTextCompatible, inner, [text]) === true;
}

const tree = {
  $ref: "#/$defs/tree",
  $defs: {
    tree: {
      type: "object",
      properties: { name: { type: "string" }, kids: { type: "array", items: { $ref: "#/$defs/tree" } } },
      required: ["name"],
    },
  },
};
const person = {
  type: "object",
  properties: {
    age: { type: "integer", minimum: 1, maximum: 120 },
    name: { type: "string", maxLength: 3 },
    member: { type: "boolean" },
  },
  required: ["name"],
};
const shapes = {
  oneOf: [
    {
      type: "object",
      properties: { kind: { const: "circle" }, radius: { type: "number", exclusiveMinimum: 0 } },
      required: ["kind", "radius"],
    },
    { type: "object", properties: { kind: { const: "point" } }, required: ["kind"] },
  ],
};

describe("a grammar lets the model write what the schema allows, and nothing else", () => {
  test("many optional properties take no longer than many required ones", async () => {
    const names = Array.from({ length: 60 }, (_, index) => `p${index}`);
    const schema = {
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, { type: "boolean" }])),
      required: ["p30"],
    };
    const { gbnf } = compileGrammar(schema);
    expect(gbnf.length).toBeLessThan(20_000);
    expect(await admits(gbnf, '{"p0": true, "p30": false, "p59": true}')).toBe(true);
    expect(await admits(gbnf, '{"p30": false}')).toBe(true);
    expect(await admits(gbnf, '{"p0": true, "p59": true}')).toBe(false);
    expect(await admits(gbnf, '{"p31": true, "p30": true}')).toBe(false);
  });

  test.each<[what: string, schema: unknown, allowed: readonly string[], refused: readonly string[]]>([
    [
      "optional properties, in their order",
      person,
      [
        '{"name":"abc"}',
        '{"age":1,"name":""}',
        '{"age": 120, "name": "😀😀😀", "member": true}',
        '{\n  "name": "x"\n}',
      ],
      [
        '{"age":0,"name":""}',
        '{"age":121,"name":""}',
        "{}",
        '{"name":"abcd"}',
        '{"name":"a","age":1}',
        '{"name":"a",}',
        '{,"name":"a"}',
        '{"name":"a","other":1}',
      ],
    ],
    [
      "only optional properties",
      { type: "object", properties: { a: { type: "null" }, b: { type: "null" } } },
      ["{}", '{"a":null}', '{"b":null}', '{"a":null,"b":null}'],
      ['{"b":null,"a":null}', '{"a":null,}'],
    ],
    ["anything", {}, ["1", '"x"', '[1,{"a":[]}]', "null", "-0.5e10"], ["{a:1}", "01", ".5", "[1,]"]],
    ["an object of anything", { type: "object" }, ["{}", '{"a": [1]}'], ["[]", "1"]],
    [
      "a map",
      { type: "object", additionalProperties: { type: "integer" }, minProperties: 1 },
      ['{"a":1,"b":2}'],
      ["{}", '{"a":"x"}'],
    ],
    [
      "numbers from 0 to 1",
      { type: "number", minimum: 0, maximum: 1 },
      ["0", "1", "0.5", "0.123"],
      ["1.5", "-0.5", "2", "1.0001", "00"],
    ],
    ["numbers above 0", { type: "number", exclusiveMinimum: 0 }, ["0.5", "1", "12.25"], ["0", "0.0", "-1"]],
    ["numbers below -2.5", { type: "number", maximum: -2.5 }, ["-3", "-3.5", "-100"], ["-2", "0", "3"]],
    [
      "integers of both signs",
      { type: "integer", minimum: -20, maximum: 1035 },
      ["-20", "0", "35", "9", "-1", "999", "1000", "1035"],
      ["-21", "1036", "2000", "-0", "1.5", "1e1"],
    ],
    [
      "integers, exclusive",
      { type: "integer", exclusiveMinimum: 9, exclusiveMaximum: 12 },
      ["10", "11"],
      ["9", "12"],
    ],
    [
      "a schema that names itself",
      tree,
      ['{"name":"a","kids":[{"name":"b"}]}'],
      ["{}", '{"name":"a","kids":[{}]}'],
    ],
    ["null or a string", { type: ["string", "null"] }, ["null", '"x"'], ["1"]],
    [
      "anyOf",
      { anyOf: [{ type: "integer" }, { type: "array", items: { type: "boolean" } }] },
      ["1", "[true]"],
      ["[1]", '"x"'],
    ],
    [
      "allOf, put together",
      {
        allOf: [
          { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
          { properties: { a: { minLength: 2 }, b: { const: { x: [1] } } }, required: ["b"] },
        ],
      },
      ['{"a":"xy","b":{"x":[1]}}'],
      ['{"a":"xy"}', '{"a":"x","b":{"x":[1]}}'],
    ],
    [
      "a base with alternatives",
      {
        type: "object",
        properties: { a: { type: "integer" }, b: { type: "integer" } },
        anyOf: [{ required: ["a"] }, { required: ["b"] }],
        additionalProperties: false,
      },
      ['{"a":1}', '{"b":1}', '{"a":1,"b":2}'],
      ["{}"],
    ],
    [
      "oneOf, told apart by a constant",
      shapes,
      ['{"kind":"point"}', '{"kind":"circle","radius":0.5}'],
      ['{"kind":"circle"}', '{"kind":"square"}'],
    ],
    [
      "constants of any kind",
      { enum: ['a\n"\\', null, 1.5, true, [], { b: "ä" }] },
      ['"a\\n\\"\\\\"', "null", "1.5", "true", "[]", '{"b":"ä"}'],
      ['"a"', "false"],
    ],
    [
      "what both a type and an enum allow",
      { type: "string", enum: ["a", 1, "b"], const: "b" },
      ['"b"'],
      ['"a"', "1"],
    ],
    [
      "lengths beyond what one repetition may count",
      { type: "string", minLength: 1500, maxLength: 5000 },
      [1500, 3333, 5000].map((n) => `"${"ä".repeat(n)}"`),
      [1499, 5001].map((n) => `"${"ä".repeat(n)}"`),
    ],
    [
      "strings that need no more than JSON's escapes",
      { type: "string" },
      ['"\\n\\"\\\\"', '"日本語 😀"', '""'],
      ['"\n"', '"\\x"', '"\\ud83d"'],
    ],
    [
      "dates that exist",
      { type: "string", format: "date" },
      ['"2024-02-28"', '"2024-12-31"', '"2024-02-29"', '"2000-02-29"', '"2024-04-30"'],
      [
        '"2024-02-30"',
        '"2023-02-29"',
        '"1900-02-29"',
        '"2024-04-31"',
        '"2024-13-01"',
        '"2024-00-01"',
        '"2024-01-00"',
      ],
    ],
    [
      "times",
      { type: "string", format: "date-time" },
      ['"2024-02-28T23:59:59Z"', '"2024-02-28T10:00:00.123+01:00"'],
      ['"2024-02-28"', '"2024-02-28T24:00:00Z"'],
    ],
    [
      "a uuid",
      { type: "string", format: "uuid" },
      ['"123e4567-e89b-12d3-a456-426614174000"'],
      ['"123e4567"'],
    ],
    [
      "counted items",
      { type: "array", items: { type: "string" }, minItems: 2, maxItems: 3 },
      ['["a","b"]', '["a", "b", "c"]'],
      ['["a"]', '["a","b","c","d"]', "[]"],
    ],
    [
      "a tuple",
      { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }], items: false },
      ['["a",1]'],
      ['["a",1,2]', '[1,"a"]'],
    ],
    [
      "a tuple of draft 7",
      { type: "array", items: [{ type: "string" }], additionalItems: { type: "integer" } },
      ['["a"]', '["a",1,2]'],
      ['["a","b"]'],
    ],
    [
      "odd names of properties",
      {
        type: "object",
        properties: { 'a"\\/\u0001': { type: "null" }, __proto__x: { type: "null" } },
        required: ['a"\\/\u0001'],
      },
      ['{"a\\"\\\\/\\u0001":null}'],
      ['{"a":null}'],
    ],
  ])("%s", async (_, schema, allowed, refused) => {
    const { gbnf } = compileGrammar(schema);
    const verdicts = async (texts: readonly string[]) =>
      Promise.all(texts.map(async (text) => [text, await admits(gbnf, text)]));
    expect(await verdicts(allowed)).toEqual(allowed.map((text) => [text, true]));
    expect(await verdicts(refused)).toEqual(refused.map((text) => [text, false]));
  });
});

describe("what no grammar can hold is refused by keyword and place", () => {
  test.each<[keyword: string, schema: unknown, pointer: string]>([
    [
      "pattern",
      { type: "object", properties: { a: { type: "string", pattern: "^a" } } },
      "#/properties/a/pattern",
    ],
    ["uniqueItems", { type: "array", uniqueItems: true }, "#/uniqueItems"],
    ["multipleOf", { type: "integer", multipleOf: 5 }, "#/multipleOf"],
    ["not", { not: { type: "string" } }, "#/not"],
    ["if", { if: { type: "string" }, else: { type: "integer" } }, "#/if"],
    ["patternProperties", { type: "object", patternProperties: { "^a": {} } }, "#/patternProperties"],
    ["oneOf", { oneOf: [{ type: "integer" }, { type: "number" }] }, "#/oneOf"],
    ["minProperties", { type: "object", properties: { a: {}, b: {} }, minProperties: 1 }, "#/minProperties"],
    ["unevaluatedProperties", { type: "object", unevaluatedProperties: false }, "#/unevaluatedProperties"],
  ])("%s", (keyword, schema, pointer) => {
    let fault: unknown;
    try {
      compileGrammar(schema);
    } catch (error) {
      fault = error;
    }
    expect(fault).toMatchObject({
      code: "unsupported",
      message: expect.stringContaining(`"${keyword}" at ${pointer} `),
    });
  });

  test("or left to the check, when asked, with a warning that says so", () => {
    const schema = { type: "string", pattern: "^a", maxLength: 5 };
    const { warnings } = compileGrammar(schema, { unsupported: "warn" });
    expect(warnings).toEqual([
      {
        keyword: "pattern",
        pointer: "#/pattern",
        message: expect.stringContaining("checked after generation"),
      },
    ]);
  });

  test.each<[what: string, schema: unknown, place: string]>([
    ["a reference to nothing", { $ref: "#/$defs/gone" }, "#/$ref"],
    ["a reference to itself", { $ref: "#" }, "#"],
    [
      "a value without end",
      { type: "object", properties: { child: { $ref: "#" } }, required: ["child"] },
      "#",
    ],
    ["a type that is none", { type: "text" }, "#/type"],
    ["a number", 3, "#"],
    ["false", false, "#"],
    ["bounds that exclude each other", { type: "integer", minimum: 5, maximum: 2 }, "#"],
    ["an empty enum", { properties: { a: { enum: [] } } }, "#/properties/a/enum"],
    ["a broken pattern", { type: "string", pattern: "(" }, "#/pattern"],
    ["nesting without end", JSON.parse(`${'{"items":'.repeat(500)}{}${"}".repeat(500)}`), "#/items"],
  ])("%s is no schema to write by", (_, schema, place) => {
    expect(() => compileGrammar(schema)).toThrow(
      expect.objectContaining({ code: "invalid-request", message: expect.stringContaining(place) }),
    );
  });
});

test("a schema that multiplies without measure is refused, and soon", () => {
  const twice = (inner: unknown): unknown => ({
    type: "object",
    properties: { a: inner },
    allOf: Array.from({ length: 6 }, (_, index) => ({
      anyOf: [{ minProperties: 0 }, { maxProperties: 90 + index }],
    })),
  });
  let schema: unknown = {};
  for (let depth = 0; depth < 6; depth++) schema = twice(schema);
  expect(() => compileGrammar(schema)).toThrow(
    expect.objectContaining({ code: "unsupported", message: expect.stringContaining("unfolds") }),
  );
});

test("what is narrowed is said, and what only describes is not", () => {
  const schema = {
    type: "object",
    title: "T",
    properties: {
      mail: { type: "string", format: "email", description: "d" },
      age: { type: "number", minimum: 0.5 },
    },
    additionalProperties: true,
    "x-order": 1,
  };
  expect(
    compileGrammar(schema)
      .warnings.map(({ pointer }) => pointer)
      .toSorted(),
  ).toEqual(["#/additionalProperties", "#/properties/age/minimum", "#/properties/mail/format", "#/x-order"]);
});

test("a schema is never changed", () => {
  const frozen = JSON.stringify(shapes);
  compileGrammar(shapes);
  rewriteSchema(shapes);
  expect(JSON.stringify(shapes)).toBe(frozen);
});

describe("for the parameters of functions, where the library takes no grammar", () => {
  test("the schema becomes what the library honours", () => {
    expect(rewriteSchema(person)).toEqual({
      warnings: [],
      schema: {
        oneOf: expect.arrayContaining([
          { type: "object", properties: { name: { type: "string", maxLength: 3 } } },
          {
            type: "object",
            properties: { age: expect.anything(), name: expect.anything(), member: { type: "boolean" } },
          },
        ]),
      },
    });
    expect(rewriteSchema({ anyOf: [{ type: "string" }, { type: "null" }] }).schema).toEqual({
      oneOf: [{ type: "string" }, { type: "null" }],
    });
  });

  test("what it does not honour is said", () => {
    const many = {
      type: "object",
      properties: Object.fromEntries(
        ["a", "b", "c", "d"].map((name) => [name, { type: "number", minimum: 3 }]),
      ),
    };
    expect(
      rewriteSchema(many)
        .warnings.map(({ keyword }) => keyword)
        .toSorted(),
    ).toEqual(["minimum, maximum", "required"]);
  });

  test.each([
    person,
    shapes,
    tree,
    {},
    { type: "object" },
    { enum: [1, { a: [] }] },
    { type: "string", maxLength: 9_000 },
    { type: "array", items: { type: "string", maxLength: 400 }, maxItems: 400 },
  ])("the library builds a grammar from %j", async (schema) => {
    await expect(
      llama.createGrammarForJsonSchema(rewriteSchema(schema).schema as never),
    ).resolves.toBeDefined();
  });
});
