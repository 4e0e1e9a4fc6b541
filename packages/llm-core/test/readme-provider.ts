import {
  type ChatRequest,
  defineProvider,
  type EventBatch,
  fromBatches,
  lazySchema,
  LlmError,
  type Provider,
} from "@enginehouse/llm-core";

interface Settings {
  readonly baseUrl?: string | undefined;
}

const settings = lazySchema<Settings>(async () => {
  const { z } = await import("zod");
  return z.strictObject({ baseUrl: z.url().optional() });
});

/** One array of events for each read of the backend. Here the backend answers with bare text. */
async function* answer(
  { model, messages }: ChatRequest,
  { baseUrl = "http://127.0.0.1:8080" }: Settings,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventBatch> {
  const body = JSON.stringify({ model, messages });
  const response = await fetch(`${baseUrl}/chat`, { method: "POST", body, signal: signal ?? null });
  if (!response.ok || response.body === null) {
    throw new LlmError("provider-internal", `${baseUrl} answered ${response.status}`);
  }
  yield [
    { type: "start", model, warnings: [] },
    { type: "text-start", id: "answer" },
  ];
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    yield [{ type: "text-delta", id: "answer", text }];
  }
  yield [
    { type: "text-end", id: "answer" },
    {
      type: "finish",
      reason: { unified: "stop", raw: undefined },
      usage: { inputTokens: undefined, outputTokens: undefined },
      context: { truncated: "unknown" },
    },
  ];
}

export default defineProvider({
  id: "my-backend",
  contract: 1,
  features: [],
  settings,
  create: (given: Settings, host): Provider => ({
    name: host.name,
    stream: (request, { signal } = {}) => fromBatches(() => answer(request, given, signal)),
    close: async () => undefined,
  }),
});
