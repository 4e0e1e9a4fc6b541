import assert from "node:assert/strict";

import { isLlmError, type JsonObject, type ToolDefinition } from "@enginehouse/llm-core";

import type { Bench, Check, Needs, Stand } from "../check.ts";
import type { ChatScript } from "../scenario.ts";
import { answer, brief, chatFault, fail, inShort, lastAsked, outcome, plainAnswer } from "./reading.ts";

const SCHEMA: JsonObject = {
  type: "object",
  properties: { city: { type: "string" }, people: { type: "integer" } },
  required: ["city", "people"],
  additionalProperties: false,
};
const responseFormat = { type: "json", schema: SCHEMA, name: "city" } as const;
const OSLO = { city: "Oslo", people: 700_000 };

const needs = (...wire: NonNullable<Needs["wire"]>): Needs => ({
  operations: ["chat"],
  features: ["json-schema"],
  wire,
});

export const STRUCTURED_CHECKS: readonly Check[] = [
  {
    id: "J01",
    group: "J",
    promise: "The schema of the wanted output reaches the backend.",
    why: "A backend that knows the schema cannot write anything else; one that does not, guesses.",
    fix: "Send the schema in the backend's own field for it (`format`, `response_format`, a grammar).",
    needs: needs("schema", "sockets"),
    async run(bench) {
      const stand = await answering(bench, JSON.stringify(OSLO));
      await answer(stand, { responseFormat });
      const { schema } = lastAsked(stand.backend);
      const lost = missingFrom(schema, SCHEMA);
      assert.deepEqual(
        lost,
        [],
        `of the schema is missing: ${lost.join(", ")}; the backend saw ${brief(schema ?? "none")}`,
      );
    },
  },
  {
    id: "J02",
    group: "J",
    promise: "Output that fits the schema comes back as a value.",
    why: "It is what was asked for.",
    fix: "Yield the JSON as text; the core's `generate` parses it.",
    needs: needs("text", "form-text"),
    async run(bench) {
      const stand = await answering(bench, JSON.stringify(OSLO));
      const { output, text } = await answer(stand, { responseFormat });
      assert.deepEqual(output, OSLO, `the backend wrote ${brief(OSLO)}; seen ${brief(output ?? text)}`);
    },
  },
  {
    id: "J03",
    group: "J",
    promise: "Output that is no JSON is output-invalid, with the text in `partial`.",
    why: "An application would fail later, and far from the cause.",
    fix: "Leave it to the core, or throw `output-invalid` with what had arrived.",
    needs: needs("schema-broken", "text", "form-text"),
    async run(bench) {
      await assertInvalid(bench, "Oslo has 700 000 people.");
    },
  },
  {
    id: "J04",
    group: "J",
    promise: "JSON inside a code fence or inside prose is output-invalid, never repaired in silence.",
    why: "A repair guesses which of two objects was meant, and hides that the backend ignores the schema.",
    fix: "Do not cut fences or search for braces; say `output-invalid` and keep the text.",
    needs: needs("schema-broken", "text", "form-text"),
    async run(bench) {
      await assertInvalid(bench, `\`\`\`json\n${JSON.stringify(OSLO)}\n\`\`\``);
      await assertInvalid(bench, `Here you are: ${JSON.stringify(OSLO)}`);
    },
  },
  {
    id: "J05",
    group: "J",
    promise: "Output that the limit of tokens cut is output-invalid and says so.",
    why: "The cure is a higher `maxTokens`, not another try.",
    fix: "Pass the backend's `length` on with the finish; the core words the error.",
    needs: needs("schema-broken", "text", "form-text", "length"),
    async run(bench) {
      const text = '{"city": "Os';
      const fault = await assertInvalid(bench, text, { end: "length" });
      const says = `${fault.message} ${fault.hint ?? ""}`;
      assert.match(
        says,
        /maxTokens|limit|length/u,
        `the output was cut by the limit; the error says: ${says}`,
      );
      assert.notEqual(fault.retryable, true, "the same request would be cut again; seen retryable: true");
    },
  },
  {
    id: "J06",
    group: "J",
    promise:
      "With tools and a schema together a call is a call and no broken output, or the two are refused as unsupported.",
    why: "An agent with a final format needs both in one conversation.",
    fix: "Check the form only of an answer without calls; where the backend cannot have both, throw `unsupported` before the request.",
    needs: {
      operations: ["chat"],
      features: ["json-schema", "tools"],
      wire: ["calls", "text"],
    },
    async run(bench) {
      const tools: readonly ToolDefinition[] = [
        { name: "count_people", inputSchema: { type: "object", properties: { city: { type: "string" } } } },
      ];
      const call = { name: "count_people", input: { city: "Oslo" } };
      const stand = await bench.start({ chats: [{ steps: [{ call }] }] });
      const end = await outcome(stand, { tools, responseFormat });
      if (isLlmError(end)) {
        assert.equal(end.code, "unsupported", `the model made a call; seen ${end.code}: ${end.message}`);
        return bench.saw("unsupported");
      }
      const names = end.toolCalls.map(({ name }) => name);
      assert.deepEqual(names, ["count_people"], `the model made a call; seen ${inShort(end)}`);
      const last = await answer(await answering(bench, JSON.stringify(OSLO)), { tools, responseFormat });
      assert.deepEqual(last.output, OSLO, `the model wrote ${brief(OSLO)}; seen ${inShort(last)}`);
      return bench.saw("both at once");
    },
  },
  {
    id: "J07",
    group: "J",
    promise: "A keyword of the schema that does not reach the backend is refused or warned of.",
    why: "A pattern that was dropped on the way looks like one that was kept, until the first value that breaks it.",
    fix: 'Send the schema whole; where a keyword must go, throw `unsupported`, or warn with `option: "responseFormat"` where that is the policy.',
    needs: needs("schema", "sockets"),
    async run(bench) {
      const schema: JsonObject = {
        type: "object",
        properties: {
          code: { type: "string", pattern: "^[A-Z]{3}$", maxLength: 3 },
          share: { type: "number", minimum: 0, maximum: 1 },
          kind: { anyOf: [{ const: "old" }, { const: "new" }] },
          tags: { type: "array", items: { type: "string", enum: ["a", "b"] }, minItems: 1 },
        },
        required: ["code", "share", "kind", "tags"],
        additionalProperties: false,
      };
      const value = { code: "ABC", share: 0.5, kind: "old", tags: ["a"] };
      const stand = await answering(bench, JSON.stringify(value));
      const wish = { responseFormat: { type: "json", schema, name: "code" } } as const;
      const end = await outcome(stand, wish);
      if (isLlmError(end)) {
        assert.ok(
          end.code === "unsupported" || end.code === "invalid-request",
          `expected an answer, unsupported or invalid-request, seen ${end.code}: ${end.message}`,
        );
        return bench.saw(`${end.code}: ${end.message}`);
      }
      const lost = missingFrom(lastAsked(stand.backend).schema, schema);
      const warned = end.warnings.some(({ option }) => option === "responseFormat");
      if (lost.length > 0 && !warned) {
        fail(`of the schema is missing at the backend, without a warning: ${lost.join(", ")}`);
      }
      return bench.saw(lost.length === 0 ? "every keyword arrived" : `warned of ${lost.join(", ")}`);
    },
  },
  {
    id: "J08",
    group: "J",
    promise: "JSON that breaks the schema is output-invalid, with the text in `partial`.",
    why: "Many servers take a schema and ignore it: what comes is JSON, and the field that the application needs is not in it.",
    fix: "Check the output against the schema, whether the backend promised to keep it or not.",
    needs: needs("schema-broken", "text", "form-text"),
    async run(bench) {
      await assertInvalid(bench, JSON.stringify({ city: "Oslo" }));
      await assertInvalid(bench, JSON.stringify({ city: "Oslo", people: "many" }));
      await assertInvalid(bench, JSON.stringify([OSLO]));
    },
  },
  {
    id: "J09",
    group: "J",
    promise: "JSON without a schema is asked of the backend as such, and any JSON is accepted.",
    why: "It is the older half of the option, and easily forgotten.",
    fix: "Send the backend's word for JSON of any shape.",
    needs: needs("schema", "sockets", "text", "form-text"),
    async run(bench) {
      const value = { any: ["thing", 1, null] };
      const stand = await answering(bench, JSON.stringify(value));
      const { output } = await answer(stand, { responseFormat: { type: "json" } });
      assert.deepEqual(output, value, `the backend wrote ${brief(value)}; seen ${brief(output)}`);
      const { schema } = lastAsked(stand.backend);
      assert.ok(schema !== undefined, "JSON was asked for; the backend was asked for no form at all");
      await plainAnswer(stand, { responseFormat: { type: "text" } });
      const { schema: none } = lastAsked(stand.backend);
      assert.equal(
        none,
        undefined,
        `text was asked for; the backend was asked for the schema ${brief(none)}`,
      );
    },
  },
];

const answering = (bench: Bench, text: string, script: ChatScript = {}): Promise<Stand> =>
  bench.start({ chats: [{ steps: [{ text }], ...script }] });

async function assertInvalid(bench: Bench, text: string, script?: ChatScript) {
  const stand = await answering(bench, text, script);
  const fault = await chatFault(stand, { responseFormat }, "output-invalid");
  const kept = fault.partial?.text;
  assert.equal(kept, text, `the backend wrote ${brief(text)}; the error keeps ${brief(kept ?? "nothing")}`);
  return fault;
}

/** Paths of what is in `wanted` and not, or not alike, in `seen`. What a wire adds is its own business. */
function missingFrom(seen: unknown, wanted: unknown, path = ""): readonly string[] {
  if (typeof wanted !== "object" || wanted === null) return seen === wanted ? [] : [path];
  if (typeof seen !== "object" || seen === null) return [path === "" ? "all of it" : path];
  return Object.entries(wanted).flatMap(([key, value]) =>
    missingFrom((seen as Record<string, unknown>)[key], value, path === "" ? key : `${path}.${key}`),
  );
}
