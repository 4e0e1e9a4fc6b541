import type { JsonObject, JsonValue } from "@enginehouse/llm-core";

import type { Asked } from "../../backend.ts";
import type { ChatScript } from "../../scenario.ts";
import { ndjson } from "../framing.ts";
import type { Piece, PieceWriter } from "../framing.ts";
import { beginChat, streamChat } from "../play-chat.ts";
import type { ChatWords, Ending, Prompt, WholeCall } from "../play-chat.ts";
import { countWords, wordsOfMessages } from "../words.ts";
import { failure, refused } from "./errors.ts";
import { instanceInfo, loadConfig } from "./models.ts";
import type { Instance } from "./models.ts";
import { configFields, configValue } from "./read.ts";

/** One channel, as an endpoint sees it. */
export interface Channel {
  readonly gone: AbortSignal;
  send(packet: JsonObject): void;
  cut(how: "reset" | "close"): void;
}

export interface Prediction {
  readonly instance: Instance;
  readonly asked: Asked;
  readonly script: ChatScript;
  readonly stack: unknown;
}

/** Fragments and tool calls, and at last `success` with the figures. */
export const predict = async (channel: Channel, prediction: Prediction): Promise<void> => {
  const { instance, asked, script, stack } = prediction;
  const refusal = await beginChat(channel, script);
  if (refusal !== undefined) throw refused(refusal);
  const prompt = promptIn(
    asked,
    instance.loaded.window,
    configValue(stack, "llm.prediction.contextOverflowPolicy"),
  );
  channel.send({ type: "promptProcessingProgress", progress: 1, details: progressOf(prompt.tokens) });
  const pieces = (): PieceWriter => packetWriter(channel);
  await streamChat({ ...channel, pieces }, script, wordsFor(prediction), prompt);
};

/** What a client gets that has cancelled: the answer so far stands. */
export const stopped = ({ instance, stack }: Prediction): JsonObject =>
  successOf(instance, stack, "userStopped", {});

const packetWriter = (channel: Channel): PieceWriter => {
  const write = (pieces: readonly Piece[]): Promise<void> => {
    channel.gone.throwIfAborted();
    for (const piece of pieces) {
      if ("raw" in piece) channel.send({ type: piece.raw });
      else if (piece.event !== undefined) throw failure({ title: piece.event });
      else channel.send(piece.json);
    }
    return Promise.resolve();
  };
  return { write, flush: () => Promise.resolve(), end: (pieces = []) => write(pieces) };
};

/** Policies: `stopAtLimit` refuses and stops; the others cut in silence, and one of them is the habit. */
const promptIn = (asked: Asked, window: number, policy: unknown): Prompt => {
  const tokens = wordsOfMessages(asked.messages);
  if (policy !== "stopAtLimit") return { tokens: Math.min(tokens, window) };
  if (tokens <= window) return { tokens, room: window - tokens };
  throw failure({
    title: `The prompt has ${tokens} tokens, but the model is loaded with a context length of only ${window} tokens. Try to load the model with a larger context length, or provide a shorter input`,
  });
};

const wordsFor = ({ instance, stack }: Prediction): ChatWords => {
  let thinking = false;
  const fragment = (content: string, reasoningType: string, isStructural = false): Piece => ({
    json: {
      type: "fragment",
      fragment: {
        content,
        tokensCount: isStructural ? 1 : countWords(content),
        containsDrafted: false,
        reasoningType,
        isStructural,
      },
    },
  });
  const answering = (): Piece[] => {
    if (!thinking) return [];
    thinking = false;
    return [fragment("</think>", "reasoningEndTag", true)];
  };
  return {
    framing: ndjson(),
    opening: () => [],
    text: (text) => [...answering(), fragment(text, "none")],
    reasoning(text) {
      const start = thinking ? [] : [fragment("<think>", "reasoningStartTag", true)];
      thinking = true;
      return [...start, fragment(text, "reasoning")];
    },
    call(part) {
      const id = typeof part.id === "string" ? { toolCallId: part.id } : {};
      return [
        ...(part.first
          ? [
              ...answering(),
              { json: { type: "toolCallGenerationStart", ...id } },
              { json: { type: "toolCallGenerationNameReceived", name: part.name } },
            ]
          : []),
        { json: { type: "toolCallGenerationArgumentFragmentGenerated", content: part.fragment } },
        ...(part.last ? [{ json: { type: "toolCallGenerationEnd", toolCallRequest: requestOf(part) } }] : []),
      ];
    },
    // Thrown by the writer, so that the channel ends with it.
    error: (title) => [{ event: title, json: {} }],
    empty: () => [fragment("", "none")],
    terminal: (ending) => {
      const { input, output } = ending.usage ?? {};
      const counts: JsonObject =
        input === undefined || output === undefined
          ? {}
          : { promptTokensCount: input, predictedTokensCount: output, totalTokensCount: input + output };
      return [...answering(), { json: successOf(instance, stack, reasonOf(ending), counts) }];
    },
  };
};

const successOf = (
  instance: Instance,
  stack: unknown,
  stopReason: string,
  counts: JsonObject,
): JsonObject => ({
  type: "success",
  stats: { stopReason, tokensPerSecond: 60, timeToFirstTokenSec: 0.01, totalTimeSec: 0.1, ...counts },
  modelInfo: instanceInfo(instance),
  loadModelConfig: loadConfig(instance),
  predictionConfig: { fields: configFields(stack) as JsonValue },
});

const requestOf = (whole: WholeCall): JsonObject => ({
  ...(typeof whole.id === "string" ? { id: whole.id } : {}),
  type: "function",
  name: whole.name,
  arguments: JSON.parse(whole.inputText) as JsonValue,
});

const REASONS = { stop: "eosFound", length: "maxPredictedTokensReached", "tool-calls": "toolCalls" } as const;

const reasonOf = ({ end, windowFull }: Ending): string => {
  if (windowFull) return "contextLengthReached";
  if (typeof end === "object") return end.raw;
  if (end === "content-filter") throw new Error("LM Studio has no word for a content filter");
  return REASONS[end];
};

const progressOf = (tokens: number): JsonObject => ({
  cachedTokenCount: 0,
  totalPromptTokenCount: tokens,
  processedPromptTokenCount: tokens,
  unprocessedPromptTokenCount: 0,
});
