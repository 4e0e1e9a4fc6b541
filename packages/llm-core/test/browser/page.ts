import {
  type ChatRequest,
  createRegistry,
  defineProvider,
  type EventBatch,
  fromBatches,
  generate,
  isLlmError,
} from "../../src/index.ts";

/** The script of the page: a plugin, a registry, a streamed answer, a collected one and an error, all in the browser. */
const plugin = defineProvider({
  id: "page",
  contract: 1,
  settings: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
  create: (_, { name }) => ({
    name,
    stream: (request) => fromBatches(() => repeat(request)),
    close: async () => undefined,
  }),
});

async function* repeat({ model, messages }: ChatRequest): AsyncGenerator<EventBatch> {
  const id = "t";
  yield [
    { type: "start", model, warnings: [] },
    { type: "text-start", id },
  ];
  for (const text of ["you", " said ", JSON.stringify(messages[0]?.content)]) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield [{ type: "text-delta", id, text }];
  }
  const usage = { inputTokens: undefined, outputTokens: undefined };
  const reason = { unified: "stop", raw: "stop" } as const;
  yield [
    { type: "text-end", id },
    { type: "finish", reason, usage, context: { truncated: "no" } },
  ];
}

async function answer(): Promise<unknown> {
  const registry = createRegistry();
  registry.register(plugin);
  const { provider, model } = await registry.resolve("page/any");
  const request = { model, messages: [{ role: "user", content: "hello" }] } as const;
  const types: string[] = [];
  for await (const event of provider.stream?.(request) ?? []) types.push(event.type);
  const { text } = await generate(provider, request);
  const missing: unknown = await registry.provider("gone").catch((error: unknown) => error);
  await registry.close();
  return { types, text, code: isLlmError(missing) ? missing.code : undefined };
}

Object.assign(globalThis, { answer });
