import { AssertionError } from "node:assert";

import {
  type CallOptions,
  type ChatEvent,
  type ChatRequest,
  isLlmError,
  type LlmError,
  requireOperation,
} from "@enginehouse/llm-core";

import type { Backend, SeenRequest, WireAbility } from "../backend.ts";
import type { Bench, Stand } from "../check.ts";
import { placeOf } from "../run/strays.ts";
import { SOON, within } from "./within.ts";

/** The shortest request that there is. */
export const hello = (model: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
  model,
  messages: [{ role: "user", content: "Say something." }],
  ...more,
});

/** The answer to `hello`, as a stream. */
export function answer(
  { provider, model }: Pick<Stand, "provider" | "model">,
  more: Partial<ChatRequest> = {},
  options?: CallOptions,
): AsyncIterable<ChatEvent> {
  return requireOperation(provider, "chat")(hello(model, more), options);
}

/** All events of a stream, read singly. */
export async function readEvents(stream: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  const read = async (): Promise<void> => {
    for await (const event of stream) events.push(event);
  };
  await within(SOON, read(), "the end of the stream").catch((error: unknown) => {
    throw told(error, events);
  });
  return events;
}

/** What a stream gave until it failed, and the error. A stream that ends well, or never, does not pass. */
export async function readFault(
  stream: AsyncIterable<ChatEvent>,
  expected: string,
): Promise<{ readonly events: readonly ChatEvent[]; readonly fault: LlmError }> {
  const events: ChatEvent[] = [];
  const read = async (): Promise<void> => {
    for await (const event of stream) events.push(event);
  };
  const fault = await faultOf(
    read(),
    expected,
    () => `the stream ended without an error after ${typesOf(events)}`,
  );
  return { events, fault };
}

/** The `LlmError` with which `work` fails. */
export async function faultOf(
  work: Promise<unknown>,
  expected: string,
  otherwise: (value: unknown) => string = () => "the call succeeded",
): Promise<LlmError> {
  let thrown: unknown;
  try {
    const value = await within(SOON, work, `${expected}: the call neither ended nor failed`);
    throw new AssertionError({ message: `expected ${expected}, but ${otherwise(value)}` });
  } catch (error) {
    if (error instanceof AssertionError) throw error;
    thrown = error;
  }
  if (isLlmError(thrown)) return thrown;
  throw new AssertionError({
    message: `expected ${expected} as an LlmError, but what was thrown is ${shown(thrown)}`,
  });
}

/** `start, text-start, text-delta (3), finish` */
export function typesOf(events: readonly ChatEvent[]): string {
  if (events.length === 0) return "no event";
  const runs: { type: string; count: number }[] = [];
  for (const { type } of events) {
    const last = runs.at(-1);
    if (last?.type === type) last.count += 1;
    else runs.push({ type, count: 1 });
  }
  return runs.map(({ type, count }) => (count === 1 ? type : `${type} (${count})`)).join(", ");
}

/** The text of all text deltas. */
export const textOf = (events: readonly ChatEvent[]): string =>
  events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");

/** The chat requests that arrived. */
export const chatsSeen = ({ seen }: Backend): readonly SeenRequest[] =>
  seen.requests.filter(({ operation }) => operation === "chat");

/** Whether the wire has words for it. */
export const can = ({ subject }: Bench, ability: WireAbility): boolean =>
  subject.backend.cannot[ability] === undefined;

/** The error in one line, for a message, with the cause of one that nobody expected. */
export function shown(thrown: unknown): string {
  if (isLlmError(thrown)) {
    const { code, message, cause } = thrown;
    const because = code === "provider-internal" && cause instanceof Error && !isLlmError(cause);
    return `${code}: ${message}${because ? `, from a ${cause.name}${placeOf(cause)}` : ""}`;
  }
  if (thrown instanceof Error) return `${thrown.name}: ${thrown.message}`;
  return String(thrown);
}

/** At most so many characters of a text, in quotes. */
export const excerpt = (text: string, limit = 80): string =>
  JSON.stringify(text.length <= limit ? text : `${text.slice(0, limit)}…`);

function told(error: unknown, events: readonly ChatEvent[]): unknown {
  if (error instanceof AssertionError)
    return new AssertionError({ message: `${error.message}; it had given ${typesOf(events)}` });
  return new AssertionError({
    message: `the stream failed after ${typesOf(events)} with ${shown(error)}`,
    actual: error,
  });
}
