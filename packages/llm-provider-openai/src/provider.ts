import {
  type CallOptions,
  type ChatRequest,
  type EmbedRequest,
  type EmbedResponse,
  type EventBatch,
  fromBatches,
  type Host,
  isLlmError,
  type Provider,
  type Pullable,
  type Reader,
  type Timeouts,
} from "@enginehouse/llm-core";
import type { decodeEmbed, encodeEmbed } from "@enginehouse/llm-openai-dialect";
import type { callJson, Endpoint, HttpTransport, streamSse } from "@enginehouse/llm-wire";

import type * as Decode from "./decode.ts";
import type * as Encode from "./encode.ts";
import type { readFaultOf } from "./errors.ts";
import type { ModelDesk } from "./models.ts";
import { type Connection, type OpenaiSettings, readConnection } from "./settings.ts";

type Operations = "stream" | "embed" | "health" | "listModels" | "describeModel";
export type OpenaiProvider = Provider & Required<Pick<Provider, Operations>>;

/** OpenAI, and every server that speaks its protocol. */
export function createOpenai(settings: OpenaiSettings, host: Host): OpenaiProvider {
  let parts: Promise<Parts> | undefined;

  const open = (): Promise<Parts> => {
    parts ??= openParts(settings).catch((error: unknown) => {
      // What was missing in the environment may be there next time.
      parts = undefined;
      throw error;
    });
    return parts;
  };

  const withDefaults = ({ signal, timeouts }: CallOptions): CallOptions => ({
    signal,
    timeouts: { ...settings.timeouts, ...given(timeouts) },
  });

  async function answer(request: ChatRequest, options: CallOptions): Promise<Pullable<EventBatch>> {
    const { connection, streams, encode, decode, wire, readFaultOf } = await open();
    const call = encode.encodeRequest(request, connection, settings);
    const { path, body } = call;
    const decoder = decode.createDecoder(request, call, connection.quirks, () =>
      // A model that refused thoughts is known by now.
      encode.encodeRequest(request, connection, settings),
    );
    const sent = { ...withDefaults(options), path, body, readFault: readFaultOf("chat") };
    return wire.streamSse(streams, sent, decoder);
  }

  async function embed(request: EmbedRequest, options: CallOptions = {}): Promise<EmbedResponse> {
    const { connection, endpoint, encode, dialect, wire, readFaultOf } = await open();
    const { quirks } = connection;
    const { texts, own } = encode.encodeTexts(request, settings, quirks);
    const { model } = request;
    const vectors: Float32Array[] = [];
    let inputTokens: number | undefined = 0;
    // One after the other: a batch that fails ends the call, and order needs no thought.
    for (let at = 0; at < texts.length; at += quirks.embedBatch) {
      const batch = texts.slice(at, at + quirks.embedBatch);
      const body = {
        ...dialect.encodeEmbed({ model, texts: batch, dimensions: settings.dimensions }, quirks),
        ...own,
      };
      const sent = { ...withDefaults(options), path: "/embeddings", body, readFault: readFaultOf("embed") };
      const decoded = dialect.decodeEmbed(await wire.callJson(endpoint, sent), batch.length);
      vectors.push(...decoded.vectors);
      const counted: number | undefined = decoded.inputTokens;
      inputTokens = inputTokens === undefined || counted === undefined ? undefined : inputTokens + counted;
    }
    return { model, vectors, usage: { inputTokens } };
  }

  return {
    name: host.name,
    stream: (request, options = {}) => fromBatches(() => new Opening(() => answer(request, options))),
    embed,

    async health(options = {}) {
      try {
        return await (await open()).models.health(options);
      } catch (error) {
        if (!isLlmError(error)) throw error;
        return { status: "down", message: error.message, hint: error.hint };
      }
    },
    listModels: async (options = {}) => (await open()).models.list(withDefaults(options)),
    describeModel: async (id, options = {}) => (await open()).models.describe(id, withDefaults(options)),

    async close() {
      const made = await parts?.catch(() => undefined);
      made?.transport.close();
    },
  };
}

/** An iterator that has to be waited for: after its first read nothing is in the way. A class as llm-core's stream.ts says. */
class Opening implements Pullable<EventBatch> {
  private readonly begin: () => Promise<Pullable<EventBatch>>;
  private source: Pullable<EventBatch> | undefined;
  private left = false;

  constructor(begin: () => Promise<Pullable<EventBatch>>) {
    this.begin = begin;
  }

  pull(reader: Reader<EventBatch>): void {
    if (this.source?.pull !== undefined) return this.source.pull(reader);
    this.next().then(
      (read) => reader.onRead(read),
      (error: unknown) => reader.onFault(error),
    );
  }

  next(): Promise<IteratorResult<EventBatch>> {
    return this.source === undefined ? this.first() : this.source.next();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.left = true;
    await this.source?.return?.();
    return { value: undefined, done: true };
  }

  private async first(): Promise<IteratorResult<EventBatch>> {
    const made = await this.begin();
    if (this.left) return { value: undefined, done: true };
    this.source = made;
    return made.next();
  }
}

const given = (timeouts: Timeouts = {}): Timeouts =>
  Object.fromEntries(Object.entries(timeouts).filter(([, value]) => value !== undefined));

interface Parts {
  readonly connection: Connection;
  readonly transport: HttpTransport;
  readonly endpoint: Endpoint;
  readonly streams: Endpoint;
  readonly models: ModelDesk;
  readonly encode: typeof Encode;
  readonly decode: typeof Decode;
  readonly dialect: { readonly encodeEmbed: typeof encodeEmbed; readonly decodeEmbed: typeof decodeEmbed };
  readonly wire: { readonly callJson: typeof callJson; readonly streamSse: typeof streamSse };
  readonly readFaultOf: typeof readFaultOf;
}

/** All that is heavy is imported with the first operation. */
async function openParts(settings: OpenaiSettings): Promise<Parts> {
  const connection = await readConnection(settings);
  const [wire, dialect, encode, decode, { readFaultOf }, { openEndpoint, streamed }, { createModelDesk }] =
    await Promise.all([
      import("@enginehouse/llm-wire"),
      import("@enginehouse/llm-openai-dialect"),
      import("./encode.ts"),
      import("./decode.ts"),
      import("./errors.ts"),
      import("./wire.ts"),
      import("./models.ts"),
    ]);
  const transport = wire.createHttpTransport();
  const endpoint = await openEndpoint(connection, settings, transport);
  return {
    connection,
    transport,
    endpoint,
    streams: streamed(endpoint),
    models: createModelDesk(endpoint, connection),
    encode,
    decode,
    dialect,
    wire,
    readFaultOf,
  };
}
