import { type ChatRequest, LlmError, type ToolDefinition, type Warning } from "@enginehouse/llm-core";
import type { ChatModelFunctions } from "node-llama-cpp";

import { encodeHistory } from "./engine/history.ts";
import { compileGrammar } from "./grammar/grammar.ts";
import { rewriteSchema } from "./grammar/rewrite.ts";
import type { ChatJob, ModelRef, Sampling, Thoughts } from "./wire.ts";

export interface EncodedChat {
  readonly job: ChatJob;
  readonly warnings: readonly Warning[];
}

export function encodeChat(request: ChatRequest, model: ModelRef): EncodedChat {
  const warnings: Warning[] = [];
  const strict = request.unsupported !== "warn";
  const { responseFormat, toolChoice } = request;
  const functions = encodeTools(chosenTools(request), strict, warnings);
  let grammar: string | undefined;
  if (responseFormat?.type === "json") {
    if (functions === undefined) grammar = encodeSchema(schemaOf(request), strict, warnings);
    else {
      const message = "this engine cannot offer tools and constrain the output to JSON in one answer";
      if (strict)
        throw new LlmError("unsupported", message, {
          hint: "send the tools or the responseFormat, not both",
        });
      warnings.push({
        code: "unsupported",
        option: "responseFormat",
        message: `${message}: the output is not constrained`,
      });
    }
  }
  return {
    warnings,
    job: {
      model,
      keepAlive: request.keepAlive,
      history: encodeHistory(request.messages),
      functions,
      mustCall: functions !== undefined && toolChoice !== undefined && toolChoice !== "auto",
      grammar,
      thoughts: encodeThoughts(request.reasoning),
      sampling: encodeSampling(request),
      stop: request.stop ?? [],
      maxTokens: request.maxTokens,
    },
  };
}

function chosenTools({ tools, toolChoice }: ChatRequest): readonly ToolDefinition[] {
  if (tools === undefined || toolChoice === "none") return [];
  if (typeof toolChoice !== "object") return tools;
  const named = tools.filter((tool) => tool.name === toolChoice.name);
  if (named.length > 0) return named;
  throw new LlmError("invalid-request", `toolChoice: there is no tool "${toolChoice.name}" among the tools`);
}

export function encodeTools(
  tools: readonly ToolDefinition[] | undefined,
  strict: boolean,
  warnings: Warning[],
): ChatModelFunctions | undefined {
  if (tools === undefined || tools.length === 0) return undefined;
  const functions: Record<string, ChatModelFunctions[string]> = {};
  for (const { name, description, inputSchema } of tools) {
    if (name === "" || /[\s\p{Cc}]/u.test(name)) {
      throw new LlmError("invalid-request", `tools: the name "${name}" is empty or has blanks`);
    }
    // As the key of an object it would be no key at all.
    if (name === "__proto__")
      throw new LlmError("invalid-request", 'tools: the name "__proto__" cannot be used');
    const own = { ...(description !== undefined && { description }) };
    if (inputSchema === undefined) functions[name] = own;
    else {
      const rewritten = rewriteSchema(inputSchema, { unsupported: strict ? "error" : "warn" });
      for (const { message } of rewritten.warnings)
        warnings.push({ code: "adjusted", option: "tools", message: `${name}: ${message}` });
      functions[name] = { ...own, params: rewritten.schema };
    }
  }
  return functions;
}

/** Without a schema of its own, "as JSON" means an object. */
export function schemaOf({ responseFormat }: ChatRequest): unknown {
  return responseFormat?.type === "json" ? (responseFormat.schema ?? { type: "object" }) : undefined;
}

function encodeSchema(schema: unknown, strict: boolean, warnings: Warning[]): string {
  const compiled = compileGrammar(schema, { unsupported: strict ? "error" : "warn" });
  for (const { message } of compiled.warnings)
    warnings.push({ code: "adjusted", option: "responseFormat", message });
  return compiled.gbnf;
}

/** So many tokens of thought for each effort; `high` leaves it to the model. */
const BUDGETS = { none: 0, low: 512, medium: 2_048, high: undefined } as const;

function encodeThoughts(effort: ChatRequest["reasoning"]): Thoughts {
  if (effort === undefined) return { wanted: undefined };
  return { wanted: effort !== "none", budget: BUDGETS[effort] };
}

/** All values are said: the engine's own defaults would penalise repetition. */
function encodeSampling(request: ChatRequest): Sampling {
  const { repeatPenalty, frequencyPenalty, presencePenalty } = request;
  const penalised =
    repeatPenalty !== undefined || frequencyPenalty !== undefined || presencePenalty !== undefined;
  return {
    temperature: request.temperature ?? 0,
    topP: request.topP ?? 0.95,
    topK: request.topK ?? 40,
    minP: request.minP ?? 0,
    seed: request.seed,
    repeatPenalty: penalised && {
      penalty: repeatPenalty ?? 1,
      frequencyPenalty: frequencyPenalty ?? 0,
      presencePenalty: presencePenalty ?? 0,
    },
  };
}

/** What of a request is about loading the model. */
export interface Loading {
  readonly contextWindow?: number | undefined;
  readonly keepAlive?: number | undefined;
  readonly providerOptions?: ChatRequest["providerOptions"];
}

export function encodeOptions({ contextWindow, keepAlive, providerOptions }: Loading): Partial<ModelRef> {
  if (contextWindow !== undefined && !(Number.isInteger(contextWindow) && contextWindow > 0)) {
    throw new LlmError(
      "invalid-request",
      `contextWindow: expected a whole number above 0, got ${String(contextWindow)}`,
    );
  }
  // Infinity is one: for good.
  if (keepAlive !== undefined && (typeof keepAlive !== "number" || Number.isNaN(keepAlive))) {
    throw new LlmError(
      "invalid-request",
      `keepAlive: expected a number of milliseconds, got ${String(keepAlive)}`,
    );
  }
  const own = providerOptions?.["llamacpp"] ?? {};
  for (const [key, value] of Object.entries(own)) {
    if (key === "force" && typeof value === "boolean") continue;
    throw new LlmError(
      "invalid-request",
      `providerOptions.llamacpp.${key}: expected "force" with true or false`,
    );
  }
  return {
    ...(contextWindow !== undefined && { contextWindow }),
    ...(own["force"] === true && { force: true }),
  };
}
