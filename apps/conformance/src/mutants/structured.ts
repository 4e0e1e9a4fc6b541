import { type ChatEvent, type JsonObject, LlmError } from "@enginehouse/llm-core";

import { unknownKeywords } from "../reference/json-schema.ts";
import { PARTS } from "../reference/parts.ts";
import { events, inside, isCode, lines, mutant, outside, part, sent, past } from "./making.ts";
import type { Mutant } from "./mutant.ts";

export const STRUCTURED_MUTANTS: readonly Mutant[] = [
  mutant(
    "M131",
    "asks for any JSON in place of the schema",
    sent((body) => (body["schema"] === undefined ? body : { ...body, schema: true })),
    { J01: /of the schema is missing: all of it/ },
  ),
  mutant(
    "M132",
    "writes the output as a text inside JSON",
    outside(({ stream }) => ({
      stream: (request, options) =>
        request.responseFormat?.type === "json" ? quoted(stream(request, options)) : stream(request, options),
    })),
    { J02: /the backend wrote .*; seen "\{/, J06: /the model wrote/, J09: /the backend wrote/ },
  ),
  mutant(
    "M133",
    "calls output that does not fit an error of its own",
    part({
      checkOutput(...given) {
        try {
          PARTS.checkOutput(...given);
        } catch (error) {
          throw new LlmError("provider-internal", "the output could not be read", { cause: error });
        }
      },
    }),
    {
      J03: /expected output-invalid, seen provider-internal/,
      J04: /expected output-invalid, seen provider-internal/,
      J05: /expected output-invalid, seen provider-internal/,
      J08: /expected output-invalid, seen provider-internal/,
    },
  ),
  mutant(
    "M134",
    "throws the text of broken output away",
    outside(({ stream }) => ({
      async *stream(request, options) {
        try {
          yield* stream(request, options);
        } catch (error) {
          if (!isCode(error, "output-invalid")) throw error;
          const { message, hint, retryable } = error;
          throw new LlmError(error.code, message, { hint, retryable });
        }
      },
    })),
    {
      J03: /the error keeps "nothing"/,
      J04: /the error keeps "nothing"/,
      J05: /the error keeps "nothing"/,
      J08: /the error keeps "nothing"/,
    },
  ),
  mutant(
    "M135",
    "cuts JSON out of fences and prose",
    lines(({ responseFormat }) => {
      let text = "";
      return (line) => {
        if (responseFormat?.type !== "json") return [line];
        if (line.type === "text") text += line.text ?? "";
        else if (line.type === "end" && text !== "") {
          const found = /\{[\s\S]*\}/.exec(text)?.[0] ?? text;
          return [{ type: "text", text: found }, line];
        } else return [line];
        return [];
      };
    }),
    { J04: /expected output-invalid, seen an answer/, J08: /expected output-invalid, seen an answer/ },
  ),
  mutant(
    "M136",
    "says of output that was cut only that it is broken",
    part({
      checkOutput: (request, text, { raw }) => PARTS.checkOutput(request, text, { unified: "stop", raw }),
    }),
    { J05: /the output was cut by the limit; the error says/ },
  ),
  mutant(
    "M137",
    "looks for the wanted output in an answer that calls a tool",
    events(({ responseFormat }) => (event) => {
      if (event.type === "tool-call" && responseFormat?.type === "json")
        throw new LlmError("output-invalid", "the output is not JSON");
      return [event];
    }),
    { J06: /seen output-invalid/ },
  ),
  mutant(
    "M138",
    "takes keywords out of the schema in silence",
    inside(({ stream }) => ({
      stream(request, options) {
        const { responseFormat } = request;
        if (responseFormat?.type !== "json" || responseFormat.schema === undefined)
          return stream(request, options);
        const schema = plain(responseFormat.schema);
        return stream({ ...request, responseFormat: { ...responseFormat, schema } }, options);
      },
    })),
    { J07: /without a warning: properties\.code\.pattern/ },
  ),
  mutant(
    "M139",
    "checks only that the output is JSON",
    past(
      {
        checkOutput: (request, text, reason) =>
          PARTS.checkOutput({ ...request, responseFormat: { type: "json" } }, text, reason),
      },
      (bare, hosted) => ({
        stream: (request, options) =>
          (request.responseFormat?.type === "json" ? bare : hosted).stream(request, options),
      }),
    ),
    { J08: /expected output-invalid, seen an answer/ },
  ),
  mutant(
    "M140",
    "asks the backend for JSON only where there is a schema",
    sent(({ schema, ...body }) => (schema === true || schema === undefined ? body : { ...body, schema })),
    { J09: /asked for no form at all/ },
  ),
];

/** The text of an answer as one JSON string. */
async function* quoted(source: AsyncIterable<ChatEvent>): AsyncIterable<ChatEvent> {
  let text = "";
  for await (const event of source) {
    if (event.type === "text-delta") text += event.text;
    else if (event.type === "text-end") {
      yield { type: "text-delta", id: event.id, text: JSON.stringify(text) };
      yield event;
    } else yield event;
  }
}

/** The schema without the keywords that the reference does not look at. */
function plain(schema: JsonObject): JsonObject {
  const gone = new Set(unknownKeywords(schema));
  const without = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(without);
    if (typeof value !== "object" || value === null) return value;
    const kept = Object.entries(value).filter(([key]) => !gone.has(key));
    return Object.fromEntries(kept.map(([key, inner]) => [key, without(inner)]));
  };
  return without(schema) as JsonObject;
}
