import { type JsonObject, type JsonValue, LlmError } from "@enginehouse/llm-core";

import type { CreateModelRequest } from "./create.ts";

/** What servers before 0.5.5 make a model from, in place of fields of the request. */
export function modelfileOf(request: CreateModelRequest, digest: string): string {
  const { template, system, license, parameters = {} } = request;
  const lines = [`FROM @${digest}`];
  if (template !== undefined) lines.push(`TEMPLATE ${quoted(template)}`);
  if (system !== undefined) lines.push(`SYSTEM ${quoted(system)}`);
  if (license !== undefined) lines.push(`LICENSE ${quoted(license)}`);
  return [...lines, ...parameterLines(parameters), ""].join("\n");
}

/** A list is one line for each of its items. */
const parameterLines = (parameters: JsonObject): string[] =>
  Object.entries(parameters).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one: JsonValue | undefined) => {
      const text = typeof one === "string" ? quoted(one) : JSON.stringify(one);
      return `PARAMETER ${name} ${text}`;
    }),
  );

/** A Modelfile has no word for its own quotes. */
function quoted(text: string): string {
  if (!text.includes('"""')) return `"""${text}"""`;
  throw new LlmError("unsupported", 'this Ollama server is told by a Modelfile, which cannot hold """', {
    hint: "update the server to 0.5.5 or later",
  });
}
