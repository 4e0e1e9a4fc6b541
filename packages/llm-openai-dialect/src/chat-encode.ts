import type { ChatRequest, ToolDefinition, Warning } from "@enginehouse/llm-core";

import { encodeMessages } from "./messages.ts";
import { createPolicy, mergeOwn, type Policy } from "./policy.ts";
import type { Quirks } from "./quirks.ts";
import { encodeKeepAlive, encodeSampling } from "./sampling.ts";
import { isStrict } from "./strict.ts";
import { createToolNames, type ToolNames } from "./tool-names.ts";

/** A request as the wire has it, and what its reply must be read with. */
export interface Encoded {
  readonly body: Record<string, unknown>;
  readonly warnings: readonly Warning[];
  readonly names: ToolNames;
}

/** `own`: fields of the caller's own, under `path` in the request. */
export interface EncodeOptions {
  readonly quirks: Quirks;
  readonly own?: Readonly<Record<string, unknown>> | undefined;
  readonly path: string;
}

/** The body for `/chat/completions`. */
export function encodeChat(request: ChatRequest, { quirks, own, path }: EncodeOptions): Encoded {
  const policy = createPolicy(request);
  const names = createToolNames(request);
  const body = {
    model: request.model,
    messages: encodeMessages(request, { names, policy, quirks }),
    stream: true,
    ...(quirks.streamOptions && { stream_options: { include_usage: true } }),
    ...(quirks.progress && { return_progress: true }),
    ...encodeSampling(request, quirks, policy),
    ...encodeKeepAlive(request.keepAlive, quirks, policy.lack),
    ...encodeReasoning(request, quirks, policy),
    ...encodeFormat(request, quirks),
    ...encodeTools(request, quirks, names),
  };
  return { body: mergeOwn(body, own, path), warnings: policy.warnings, names };
}

function encodeReasoning(
  { reasoning }: ChatRequest,
  quirks: Quirks,
  policy: Policy,
): Record<string, unknown> {
  if (reasoning === undefined) return {};
  switch (quirks.reasoning) {
    case "effort":
      return { reasoning_effort: reasoning };
    case "object":
      return { reasoning: reasoning === "none" ? { enabled: false } : { effort: reasoning } };
    case "template": {
      const thinks = reasoning !== "none";
      const effort = thinks && { reasoning_effort: reasoning };
      return { chat_template_kwargs: { enable_thinking: thinks, ...effort } };
    }
    case false:
      // Who cannot be asked to think need not be asked not to.
      if (reasoning !== "none")
        policy.lack("reasoning", 'this server has no word for "reasoning", how much the model may think');
      return {};
  }
}

export function encodeFormat({ responseFormat }: ChatRequest, quirks: Quirks): Record<string, unknown> {
  if (responseFormat?.type !== "json") return {};
  const { schema, name } = responseFormat;
  if (schema === undefined && quirks.jsonObject) return { response_format: { type: "json_object" } };
  const json_schema = {
    name: formatName(name),
    schema: schema ?? { type: "object" },
    strict: isStrict(schema),
  };
  return { response_format: { type: "json_schema", json_schema } };
}

/** The wire takes letters, digits, `_` and `-` only. */
export const formatName = (name: string | undefined): string =>
  (name ?? "answer").replaceAll(/[^\w-]/g, "_").slice(0, 64) || "answer";

function encodeTools(
  { tools = [], toolChoice = "auto" }: ChatRequest,
  quirks: Quirks,
  names: ToolNames,
): Record<string, unknown> {
  if (tools.length === 0 || toolChoice === "none") return {};
  const named = typeof toolChoice === "object" ? names.toWire(toolChoice.name) : undefined;
  const alone = named !== undefined && !quirks.namedTool;
  const sent = alone ? tools.filter(({ name }) => names.toWire(name) === named) : tools;
  const choice = named === undefined ? toolChoice : { type: "function", function: { name: named } };
  return {
    tools: sent.map((tool) => ({ type: "function", function: encodeTool(tool, names) })),
    ...(choice !== "auto" && { tool_choice: alone ? "required" : choice }),
  };
}

export function encodeTool(
  { name, description, inputSchema }: ToolDefinition,
  names: ToolNames,
): Record<string, unknown> {
  return {
    name: names.toWire(name),
    ...(description !== undefined && { description }),
    // Some servers take a tool without parameters for a broken one.
    parameters: inputSchema ?? { type: "object", properties: {} },
  };
}
