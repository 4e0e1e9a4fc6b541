import type { ChatRequest } from "@enginehouse/llm-core";

import { encodeChat } from "../reference/encode.ts";
import { inside, isCode, mutant, outside, part, sent } from "./making.ts";
import type { Mutant } from "./mutant.ts";

export const CONTEXT_MUTANTS: readonly Mutant[] = [
  mutant(
    "M20",
    "says that nothing was cut, whatever the backend did",
    part({
      contextOf: ({ inputTokens }, window) => ({ window, promptTokens: inputTokens, truncated: "no" }),
    }),
    { X02: /the answer says truncated: no/, X07: /the answer says truncated: no/ },
  ),
  mutant(
    "M47",
    "leaves the dropping of turns to the backend",
    sent(({ overflow, ...body }, request) =>
      request.overflow === "drop-oldest" ? body : { ...body, overflow },
    ),
    { X03: /no warning has the code dropped/, X08: /expected context-overflow, seen an answer/ },
  ),
  mutant(
    "M101",
    "does not ask the backend to refuse what does not fit",
    sent(({ overflow: _, ...body }) => body),
    {
      X01: /expected context-overflow, seen an answer/,
      X03: /no warning has the code dropped/,
      X06: /in a window of 128 ended with stop/,
      X08: /expected context-overflow, seen an answer/,
    },
  ),
  mutant(
    "M102",
    "drops single messages in place of whole turns",
    outside(({ stream }) => ({
      async *stream(request, options) {
        let { messages } = request;
        for (;;) {
          try {
            const inner = stream({ ...request, messages, overflow: "error" }, options);
            for await (const event of inner) {
              const count = request.messages.length - messages.length;
              const warning = {
                code: "dropped",
                option: "overflow",
                message: `${count} messages were dropped`,
              } as const;
              yield event.type === "start" && count > 0 ? { ...event, warnings: [warning] } : event;
            }
            return;
          } catch (error) {
            const oldest = messages.findIndex(({ role }) => role !== "system");
            const mayDrop = request.overflow === "drop-oldest" && oldest < messages.length - 1;
            if (!isCode(error, "context-overflow") || !mayDrop) throw error;
            messages = messages.filter((_, index) => index !== oldest);
          }
        }
      },
    })),
    { X03: /a turn was cut in two/ },
  ),
  mutant(
    "M103",
    "drops the last message, too, where it alone does not fit",
    outside(({ stream }) => ({
      async *stream(request, options) {
        try {
          yield* stream(request, options);
        } catch (error) {
          if (!isCode(error, "context-overflow") || request.overflow !== "drop-oldest") throw error;
          const messages: ChatRequest["messages"] = [{ role: "user", content: "(dropped)" }];
          yield* stream({ ...request, messages }, options);
        }
      },
    })),
    { X08: /expected context-overflow, seen an answer/ },
  ),
  mutant(
    "M104",
    "sends no window with a chat",
    sent(({ window: _, ...body }) => body),
    { X04: /the chat asked the backend for none/ },
  ),
  mutant(
    "M105",
    "sends the same window with every chat, whatever the model was loaded with",
    part({ encodeChat: (request, settings) => encodeChat(request, { ...settings, contextWindow: 1_024 }) }),
    { L24: /loaded twice/, X04: /the chat asked the backend for 1024/ },
  ),
  mutant(
    "M106",
    "cuts texts to what the embedder reads",
    inside(({ embed }) => ({
      embed: (request, options) =>
        embed(
          { ...request, texts: request.texts.map((text) => text.split(" ").slice(0, 100).join(" ")) },
          options,
        ),
    })),
    { X05: /expected input-too-long, seen no error/ },
  ),
  mutant(
    "M107",
    "takes four characters for a token",
    inside(() => ({
      countTokens: async ({ messages = [], texts = [] }) => ({
        tokens: Math.ceil(JSON.stringify([messages, texts]).length / 4),
      }),
    })),
    { X09: /countTokens says \d+, the backend counted/ },
  ),
];
