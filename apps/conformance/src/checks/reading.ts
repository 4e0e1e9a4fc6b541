import { AssertionError } from "node:assert";

import {
  batchesOf,
  type ChatEvent,
  type ChatRequest,
  type ChatResponse,
  collect,
  type ErrorCode,
  generate,
  isLlmError,
  type LlmError,
} from "@enginehouse/llm-core";

import type { Asked, Backend, SeenRequest } from "../backend.ts";
import type { Bench, Stand } from "../check.ts";
import { DEFAULT_MODELS, type ModelScript } from "../scenario.ts";
import { shown } from "./asking.ts";
import { SOON, within } from "./within.ts";

export function fail(message: string): never {
  throw new AssertionError({ message });
}

export type Wish = Partial<ChatRequest>;

export const user = (content: string): ChatRequest["messages"][number] => ({ role: "user", content });

export const requestFor = ({ model }: Stand, wish: Wish = {}): ChatRequest => ({
  model,
  messages: [user("Say how all is.")],
  ...wish,
});

/** The whole answer to a request that must be answered. */
export async function answer(stand: Stand, wish?: Wish): Promise<ChatResponse> {
  return ok("the chat", generate(stand.provider, requestFor(stand, wish)));
}

/** The same without a look at what the output was asked to be. */
export async function plainAnswer(stand: Stand, wish?: Wish): Promise<ChatResponse> {
  return ok("the chat", collect(streamOf(stand, wish)));
}

/** The answer, or the fault, whichever it is. */
export async function outcome(stand: Stand, wish?: Wish): Promise<ChatResponse | LlmError> {
  try {
    return await within(SOON, generate(stand.provider, requestFor(stand, wish)), "the chat");
  } catch (error) {
    if (isLlmError(error)) return error;
    throw error;
  }
}

/** The fault of a chat that must fail with this code. */
export async function chatFault(
  stand: Stand,
  wish: Wish,
  codes: ErrorCode | readonly ErrorCode[],
): Promise<LlmError> {
  const end = await outcome(stand, wish);
  if (!isLlmError(end)) fail(`expected ${listed(codes)}, seen an answer: ${inShort(end)}`);
  return withCode("the chat", end, codes);
}

/** What `work` gives; where it rejects, a failure that names the fault. */
export async function ok<Value>(what: string, work: Promise<Value>, ms = SOON): Promise<Value> {
  try {
    return await within(ms, work, what);
  } catch (error) {
    if (isLlmError(error)) fail(`${what} failed with ${shown(error)}`);
    throw error;
  }
}

/** The fault of `work`, which must fail with one of these codes. */
export async function refused(
  what: string,
  work: Promise<unknown>,
  codes: ErrorCode | readonly ErrorCode[],
  ms = SOON,
): Promise<LlmError> {
  const fault = await within(
    ms,
    work.then(
      (value) => fail(`${what}: expected ${listed(codes)}, seen no error but ${brief(value)}`),
      (error: unknown) => error,
    ),
    what,
  );
  return withCode(what, fault, codes);
}

function withCode(what: string, fault: unknown, codes: ErrorCode | readonly ErrorCode[]): LlmError {
  if (fault instanceof AssertionError) throw fault;
  if (!isLlmError(fault)) {
    return fail(`${what}: expected an LlmError with ${listed(codes)}, seen ${String(fault)}`);
  }
  if ([codes].flat().includes(fault.code)) return fault;
  return fail(`${what}: expected ${listed(codes)}, seen ${shown(fault)}`);
}

export function streamOf({ provider, model }: Stand, wish: Wish = {}): AsyncIterable<ChatEvent> {
  const request = requestFor({ provider, model } as Stand, wish);
  return provider.stream?.(request) ?? fail("the provider has no `stream`");
}

/** All events of a stream that must come to its end. */
export async function eventsOf(stand: Stand, wish?: Wish): Promise<readonly ChatEvent[]> {
  const events: ChatEvent[] = [];
  const read = async (): Promise<void> => {
    for await (const batch of batchesOf(streamOf(stand, wish))) events.push(...batch);
  };
  await ok("the chat", read());
  return events;
}

/** Whether this wire's requests can be looked at; inside a process only the client can. */
export const watched = ({ subject }: Bench): boolean => subject.backend.cannot.sockets === undefined;

export const chatsOf = ({ seen }: Backend): readonly SeenRequest[] =>
  seen.requests.filter(({ operation }) => operation === "chat");

export const requestsFor = ({ seen }: Backend, operation: SeenRequest["operation"]): readonly SeenRequest[] =>
  seen.requests.filter((request) => request.operation === operation);

/** What the last chat asked the backend for. */
export function lastAsked(backend: Backend, operation: SeenRequest["operation"] = "chat"): Asked {
  const last = requestsFor(backend, operation).at(-1);
  return last?.asked ?? fail(`no ${operation} request arrived at the backend`);
}

/** The default models, the chat model with these differences. */
export const withChat = (differences: Partial<ModelScript>): readonly ModelScript[] =>
  DEFAULT_MODELS.map((model) => (model.task === "chat" ? { ...model, ...differences } : model));

/** `stone0 stone1 stone2`: a fake counts one token for each. */
export const words = (count: number, word = "stone"): string =>
  Array.from({ length: count }, (_, index) => `${word}${index}`).join(" ");

/** On one line, for a message. */
export function brief(value: unknown, limit = 300): string {
  const text = typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > limit ? `${text.slice(0, limit)} …` : text;
}

export const inShort = ({ text, reasoning, toolCalls, finishReason, context }: ChatResponse): string =>
  brief({
    text,
    ...(reasoning !== "" && { reasoning }),
    ...(toolCalls.length > 0 && {
      calls: toolCalls.map(({ id, name, inputText }) => ({ id, name, inputText })),
    }),
    finish: finishReason,
    truncated: context.truncated,
  });

const listed = (codes: ErrorCode | readonly ErrorCode[]): string => [codes].flat().join(" or ");

/** Whether a warning of the answer is about this option. */
export const warnsOf = (response: ChatResponse, option: string): boolean =>
  response.warnings.some((warning) => warning.option === option);
