import {
  type ChatEvent,
  type ChatRequest,
  defineProvider,
  type EventBatch,
  type Feature,
  fromBatches,
  type Provider,
  type ProviderPlugin,
  type SettingsSchema,
} from "../src/index.ts";

export const anything: SettingsSchema<Record<string, unknown>> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => ({ value: value as Record<string, unknown> }),
  },
};

export const strict: SettingsSchema<{ port?: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      "port" in (value as object) || Object.keys(value as object).length === 0
        ? { value: value as { port?: number } }
        : { issues: [{ message: "unknown key", path: Object.keys(value as object) }] },
  },
};

/** A plugin whose provider is what `make` gives. */
export function pluginOf(
  make: () => Partial<Provider>,
  { id = "double", contract = 1, features = [] as readonly Feature[] } = {},
): ProviderPlugin<Record<string, unknown>> {
  return defineProvider({
    id,
    contract,
    features,
    settings: anything,
    create: (_, host): Provider => ({ name: host.name, close: async () => undefined, ...make() }),
  });
}

export const ask: ChatRequest = { model: "m", messages: [{ role: "user", content: "hello" }] };

export const start: ChatEvent = { type: "start", model: "m", warnings: [] };

export const finish: ChatEvent = {
  type: "finish",
  reason: { unified: "stop", raw: "stop" },
  usage: { inputTokens: 3, outputTokens: 2 },
  context: { truncated: "no" },
};

export const says = (...texts: string[]): ChatEvent[] => [
  { type: "text-start", id: "t" },
  ...texts.map((text): ChatEvent => ({ type: "text-delta", id: "t", text })),
  { type: "text-end", id: "t" },
];

/** A stream that yields the batches and then throws, or ends. */
export function streamOf(batches: readonly EventBatch[], error?: unknown): () => AsyncIterable<ChatEvent> {
  return () =>
    fromBatches(async function* () {
      yield* batches;
      if (error !== undefined) throw error;
    });
}

export async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection, and there was none");
}

export async function eventsOf(stream: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}
