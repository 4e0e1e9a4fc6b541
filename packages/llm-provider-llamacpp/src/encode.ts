import {
  type ChatRequest,
  LlmError,
  type Message,
  type ToolDefinition,
  type ToolResultPart,
  type Warning,
} from "@enginehouse/llm-core";
import type { ChatHistoryItem, ChatModelFunctions, ChatModelResponse } from "node-llama-cpp";

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
    if (functions === undefined) grammar = encodeSchema(responseFormat.schema, strict, warnings);
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

/** Every message that follows a user's and is not one belongs to the model's turn: texts, calls with their results, texts. */
export function encodeHistory(messages: readonly Message[]): ChatHistoryItem[] {
  const results = resultsById(messages);
  const history: ChatHistoryItem[] = [];
  const turn = (): ChatModelResponse["response"] => {
    const last = history.at(-1);
    if (last?.type === "model") return last.response;
    const response: ChatModelResponse["response"] = [];
    history.push({ type: "model", response });
    return response;
  };
  for (const message of messages) {
    switch (message.role) {
      case "system":
        history.push({ type: "system", text: message.content });
        break;
      case "user":
        history.push({ type: "user", text: textOf(message.content) });
        break;
      case "assistant":
        turn().push(...encodeAnswer(message.content, results));
        break;
      case "tool":
        // Each result stands with its call.
        break;
    }
  }
  if (history.at(-1)?.type !== "model") history.push({ type: "model", response: [] });
  return history;
}

function encodeAnswer(
  content: (Message & { role: "assistant" })["content"],
  results: ReadonlyMap<string, ToolResultPart>,
): ChatModelResponse["response"] {
  if (typeof content === "string") return content === "" ? [] : [content];
  let startsNewChunk = true;
  return content.map((part) => {
    switch (part.type) {
      case "text":
        return part.text;
      case "reasoning":
        return { type: "segment", segmentType: "thought", text: part.text, ended: true };
      case "tool-call": {
        const result = results.get(part.id);
        if (result === undefined) {
          throw new LlmError(
            "invalid-request",
            `messages: the call "${part.id}" of "${part.name}" has no result`,
            {
              hint: "send a tool message with its result before asking on",
            },
          );
        }
        const output = result.isError === true ? { error: result.output } : result.output;
        const call = {
          type: "functionCall" as const,
          name: part.name,
          params: part.input,
          result: output,
          startsNewChunk,
        };
        startsNewChunk = false;
        return call;
      }
    }
  });
}

function resultsById(messages: readonly Message[]): ReadonlyMap<string, ToolResultPart> {
  const calls = new Set<string>();
  const results = new Map<string, ToolResultPart>();
  for (const message of messages) {
    if (message.role === "assistant" && typeof message.content !== "string") {
      for (const part of message.content) if (part.type === "tool-call") calls.add(part.id);
    }
    if (message.role !== "tool") continue;
    for (const part of message.content) {
      if (!calls.has(part.id))
        throw new LlmError("invalid-request", `messages: the result "${part.id}" answers no call`);
      results.set(part.id, part);
    }
  }
  return results;
}

function textOf(content: (Message & { role: "user" })["content"]): string {
  if (typeof content === "string") return content;
  return content
    .map((part) => {
      if (part.type === "text") return part.text;
      throw new LlmError("unsupported", `this engine reads no files (${part.mediaType})`, {
        hint: "send its text instead",
      });
    })
    .join("");
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
    if (name === "" || /\s/.test(name)) {
      throw new LlmError("invalid-request", `tools: the name "${name}" is empty or has blanks`);
    }
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

function encodeSchema(schema: unknown, strict: boolean, warnings: Warning[]): string {
  const compiled = compileGrammar(schema ?? { type: "object" }, { unsupported: strict ? "error" : "warn" });
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
