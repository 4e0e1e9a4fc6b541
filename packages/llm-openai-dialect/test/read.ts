import { readFileSync } from "node:fs";

import {
  type ChatEvent,
  type ChatRequest,
  type ChatResponse,
  collect,
  type LlmError,
  type Usage,
} from "@enginehouse/llm-core";
import { createSseDecoder } from "@enginehouse/llm-wire";

import {
  type AnswerDecoder,
  createChatDecoder,
  createResponsesDecoder,
  createToolNames,
  PLAIN,
  type Quirks,
} from "../src/index.ts";

const FIXTURES = new URL("../../../apps/conformance/fixtures/", import.meta.url);

/** The bytes of a recorded reply: `llama-server/chat-stream`. */
export function recording(name: string): { readonly status: number; readonly body: string } {
  const { response } = JSON.parse(readFileSync(new URL(`${name}.json`, FIXTURES), "utf8")) as {
    response: { status: number; chunks: { data: string; encoding?: string }[] };
  };
  const body = response.chunks
    .map(({ data, encoding }) => (encoding === "base64" ? Buffer.from(data, "base64").toString() : data))
    .join("");
  return { status: response.status, body };
}

export const REQUEST: ChatRequest = { model: "m", messages: [{ role: "user", content: "Hi" }] };

interface Reading {
  readonly request?: Partial<ChatRequest>;
  readonly quirks?: Partial<Quirks>;
  readonly api?: "chat" | "responses";
  /** Bytes for each read. */
  readonly cut?: number;
}

function decoderFor({ request = {}, quirks = {}, api = "chat" }: Reading): AnswerDecoder {
  const whole = { ...REQUEST, ...request };
  const create = api === "chat" ? createChatDecoder : createResponsesDecoder;
  const options = { request: whole, names: createToolNames(whole), warnings: [] };
  return create({ ...options, quirks: { ...PLAIN, ...quirks } });
}

/** A body as a provider reads it: the events, and what ended them. */
function readBody(body: string, reading: Reading): { events: ChatEvent[]; fault?: LlmError; usage?: Usage } {
  const decoder = decoderFor(reading);
  const pieces = createSseDecoder();
  const bytes = new TextEncoder().encode(body);
  const size = reading.cut ?? bytes.length;
  const events = [...decoder.start()];
  try {
    for (let at = 0; at < bytes.length && decoder.fault() === undefined; at += size)
      events.push(...decoder.add(pieces.add(bytes.subarray(at, at + size))));
    events.push(...decoder.add(pieces.end()), ...decoder.finish());
  } catch (error) {
    return { events, fault: error as LlmError, ...told(decoder.usage()) };
  }
  const fault = decoder.fault();
  return { events, ...(fault !== undefined && { fault }), ...told(decoder.usage()) };
}

const told = (usage: Usage | undefined): { usage?: Usage } => (usage === undefined ? {} : { usage });

/** The events of a body, as a provider would yield them. */
export function eventsOf(body: string, reading: Reading = {}): ChatEvent[] {
  const { events, fault } = readBody(body, reading);
  if (fault !== undefined) throw fault;
  return events;
}

export function answerOf(body: string, reading: Reading = {}): Promise<ChatResponse> {
  const events = eventsOf(body, reading);
  return collect(
    (async function* () {
      yield* events;
    })(),
  );
}

/** What reading the body throws, and what had come before it. */
export function brokenOff(
  body: string,
  reading: Reading = {},
): { readonly fault: LlmError; readonly text: string; readonly usage?: Usage } {
  const { events, fault, ...more } = readBody(body, reading);
  if (fault === undefined) throw new Error("the body was read without a fault");
  const text = events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");
  return { fault, text, ...more };
}

export const faultOf = (body: string, reading: Reading = {}): LlmError => brokenOff(body, reading).fault;

/** A stream of chunks, each with the given delta, and what ends it. */
export function chat(
  deltas: readonly object[],
  ending: string | null = "stop",
  more: readonly object[] = [],
): string {
  const chunks: object[] = deltas.map((delta) => ({
    id: "c",
    choices: [{ index: 0, delta, finish_reason: null }],
  }));
  if (ending !== null) chunks.push({ id: "c", choices: [{ index: 0, delta: {}, finish_reason: ending }] });
  return `${lines([...chunks, ...more])}data: [DONE]\n\n`;
}

export const lines = (values: readonly object[]): string =>
  values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join("");

export const call = (
  index: number | undefined,
  rest: { id?: unknown; name?: string; text?: unknown },
): object => ({
  tool_calls: [
    {
      ...(index !== undefined && { index }),
      ...("id" in rest && { id: rest.id }),
      function: { ...(rest.name !== undefined && { name: rest.name }), arguments: rest.text },
    },
  ],
});
