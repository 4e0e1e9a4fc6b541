// A provider as a plugin would write it, over llm-core and llm-wire, for the mock's two dialects: the whole path
// that an application's token takes, from the bytes to the event in its loop.
import { type ChatEvent, CONTRACT_VERSION, defineProvider, fromBatches } from "@enginehouse/llm-core";
import {
  createHttpTransport,
  type EventDecoder,
  type FetchLike,
  type SseEvent,
  streamLines,
  streamSse,
} from "@enginehouse/llm-wire";

import type { Run } from "./clients.ts";

const settings = {
  "~standard": {
    version: 1,
    vendor: "bench",
    validate: (value: unknown) => ({ value: value as { baseUrl: string; transport: FetchLike } }),
  },
} as const;

const finish = (reason: string, inputTokens: number, outputTokens: number): ChatEvent => ({
  type: "finish",
  reason: { unified: reason === "stop" ? "stop" : "other", raw: reason },
  usage: { inputTokens, outputTokens },
  context: { truncated: "unknown" },
});

interface OllamaLine {
  readonly message?: { readonly content?: string };
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
}

const closing = ({ done_reason = "", prompt_eval_count = 0, eval_count = 0 }: OllamaLine): ChatEvent =>
  finish(done_reason, prompt_eval_count, eval_count);

interface OpenAiChunk {
  readonly choices: readonly {
    readonly delta?: { readonly content?: string };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

/** As a provider's decoder is: an object of a class, so that its code stays optimised from one stream to the next. */
class LineEvents implements EventDecoder<string> {
  static readonly kept = new LineEvents("");
  private readonly model: string;

  constructor(model: string) {
    this.model = model;
  }

  start(): ChatEvent[] {
    return opening(this.model);
  }

  add(lines: readonly string[]): ChatEvent[] {
    const events: ChatEvent[] = [];
    for (const line of lines) {
      const said = JSON.parse(line) as OllamaLine;
      const text = said.message?.content;
      if (text) events.push({ type: "text-delta", id: "0", text });
      if (said.done === true) events.push({ type: "text-end", id: "0" }, closing(said));
    }
    return events;
  }

  finish(): ChatEvent[] {
    return [];
  }
}

class SseEvents implements EventDecoder<SseEvent> {
  static readonly kept = new SseEvents("");
  private readonly model: string;

  constructor(model: string) {
    this.model = model;
  }

  start(): ChatEvent[] {
    return opening(this.model);
  }

  add(pieces: readonly SseEvent[]): ChatEvent[] {
    const events: ChatEvent[] = [];
    for (const { data } of pieces) {
      if (data === "[DONE]") continue;
      const { choices, usage } = JSON.parse(data) as OpenAiChunk;
      const { 0: choice } = choices;
      const text = choice?.delta?.content;
      if (text) events.push({ type: "text-delta", id: "0", text });
      const reason = choice?.finish_reason;
      if (!reason) continue;
      const counts = finish(reason, usage?.prompt_tokens ?? 0, usage?.completion_tokens ?? 0);
      events.push({ type: "text-end", id: "0" }, counts);
    }
    return events;
  }

  finish(): ChatEvent[] {
    return [];
  }
}

const opening = (model: string): ChatEvent[] => [
  { type: "start", model, warnings: [] },
  { type: "text-start", id: "0" },
];

const plugin = (dialect: "ndjson" | "sse") =>
  defineProvider({
    id: "bench",
    contract: CONTRACT_VERSION,
    settings,
    create({ baseUrl, transport }: { baseUrl: string; transport: FetchLike }, host) {
      const endpoint = { baseUrl, fetch: transport };
      return {
        name: host.name,
        stream(request, options = {}) {
          const body = { model: request.model, stream: true, messages: request.messages };
          const call = { ...options, path: "", body };
          return fromBatches(() =>
            dialect === "ndjson"
              ? streamLines(endpoint, call, new LineEvents(request.model))
              : streamSse(endpoint, call, new SseEvents(request.model)),
          );
        },
        close: async () => undefined,
      };
    },
  });

export function createOurs(
  transport: "fetch" | "http",
  dialect: "ndjson" | "sse",
): (run: Run) => Promise<void> {
  const made = plugin(dialect);
  const send = transport === "http" ? createHttpTransport() : fetch;
  // One provider for all calls, as an application has it.
  let provider: ReturnType<typeof made.create> | undefined;
  return async ({ base, model, signal, onText }) => {
    provider ??= made.create({ baseUrl: base, transport: send });
    for await (const event of provider.stream(
      { model, messages: [{ role: "user", content: "hi" }] },
      { signal },
    )) {
      if (event.type !== "text-delta") continue;
      const asked = onText(event.text);
      if (asked === false) break;
      if (asked !== undefined) await asked;
    }
  };
}
