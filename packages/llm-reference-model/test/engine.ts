import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getLlama, LlamaChat, LlamaLogLevel, resolveChatWrapper } from "node-llama-cpp";
import type { ChatHistoryItem, ChatModelResponse, Llama, LlamaModel } from "node-llama-cpp";
import { afterAll } from "vitest";

/** A llama.cpp engine on one thread of the CPU: more threads than cores to themselves make it many times slower. */
export function engine(): Promise<Llama> {
  return getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    logLevel: LlamaLogLevel.disabled,
    maxThreads: 1,
  });
}

/** A folder that is gone after the tests of this file. */
export function temporaryFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "enginehouse-models-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

const tools = {
  get_weather: {
    description: "Get the current weather for a city",
    params: { type: "object", properties: { city: { type: "string", description: "City name" } } },
  },
  add: {
    description: "Add two numbers",
    params: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
  },
} as const;

export interface Answer {
  readonly text: string;
  readonly thoughts: string;
  readonly calls: readonly { readonly name: string; readonly params: unknown }[];
  readonly stopReason: string;
  readonly tokens: number;
}

export interface Chat {
  /** Adds a user message and the answer to the history. */
  ask(text: string, options?: { readonly tools?: boolean; readonly maxTokens?: number }): Promise<Answer>;
  /** Answers each of the calls that were asked for last with this result. */
  answerTool(result: string): Promise<Answer>;
}

/** A conversation with a model as a provider would have it, through its own template. */
export async function startChat(model: LlamaModel, contextSize = 2048): Promise<Chat> {
  const context = await model.createContext({ contextSize, batchSize: 512 });
  const sequence = context.getSequence();
  const chat = new LlamaChat({ contextSequence: sequence, chatWrapper: resolveChatWrapper(model) });
  const history: ChatHistoryItem[] = [{ type: "system", text: "You are a helpful assistant." }];

  const answer = async (withTools: boolean, maxTokens: number): Promise<Answer> => {
    let tokens = 0;
    const result = await chat.generateResponse(history, {
      ...(withTools ? { functions: tools } : {}),
      temperature: 0,
      repeatPenalty: false,
      maxTokens,
      onToken: (pieces) => {
        tokens += pieces.length;
      },
    });
    const thoughts = result.fullResponse.map((part) =>
      typeof part === "object" && part.type === "segment" && part.segmentType === "thought" ? part.text : "",
    );
    lastOf(history).response.push(...result.fullResponse);
    return {
      text: result.response,
      thoughts: thoughts.join(""),
      calls: (result.functionCalls ?? []).map((call) => ({ name: call.functionName, params: call.params })),
      stopReason: result.metadata.stopReason,
      tokens,
    };
  };

  let pending: Answer | undefined;
  return {
    async ask(text, { tools: withTools = false, maxTokens = 200 } = {}) {
      history.push({ type: "user", text }, { type: "model", response: [] });
      pending = await answer(withTools, maxTokens);
      return pending;
    },
    async answerTool(result) {
      const calls = pending?.calls ?? [];
      if (calls.length === 0) throw new Error("No tool was called.");
      for (const { name, params } of calls) {
        lastOf(history).response.push({ type: "functionCall", name, description: "", params, result });
      }
      return answer(true, 200);
    },
  };
}

function lastOf(history: readonly ChatHistoryItem[]): ChatModelResponse {
  const last = history.at(-1);
  if (last?.type !== "model") throw new Error("The history does not end with an answer.");
  return last;
}

export function cosine(left: readonly number[], right: readonly number[]): number {
  const product = left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
  return product / (Math.hypot(...left) * Math.hypot(...right));
}
