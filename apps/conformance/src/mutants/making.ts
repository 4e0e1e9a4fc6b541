import {
  type ChatEvent,
  type ChatRequest,
  type JsonObject,
  isLlmError,
  type LlmError,
  type Provider,
} from "@enginehouse/llm-core";

import { encodeChat } from "../reference/encode.ts";
import { type Parts, PARTS } from "../reference/parts.ts";
import { REFERENCE_ID } from "../reference/plugin.ts";
import { createReference } from "../reference/provider.ts";
import { referenceSubject, type SubjectChanges } from "../reference/subject.ts";
import type { PlainLine } from "../reference/wire.ts";
import type { Mutant } from "./mutant.ts";

type Kills = Mutant["kills"];
type Whole = Required<Provider>;
type Events = AsyncIterable<ChatEvent>;

/** The reference with these changes. */
export const mutant = (id: string, wrong: string, changes: SubjectChanges, kills: Kills): Mutant => ({
  id,
  wrong,
  kills,
  subject: () => referenceSubject(changes),
});

/** The reference with parts replaced. */
export const part = (parts: Partial<Parts>): SubjectChanges => ({ parts });

/** Methods of a reference with these parts called past the core: what it sees to for everybody is left undone. */
export const past = (
  parts: Partial<Parts>,
  change: (bare: Whole, hosted: Whole) => Partial<Provider>,
): SubjectChanges => ({
  outside(hosted, settings) {
    const host = { name: REFERENCE_ID, models: [] };
    const bare = createReference(settings, host, { ...PARTS, ...parts }) as Whole;
    const close = async (): Promise<void> => void (await Promise.all([bare.close(), hosted.close()]));
    return { ...hosted, ...change(bare, hosted), close };
  },
});

/** Methods replaced below the promises that the core keeps. */
export const inside = (change: (provider: Whole) => Partial<Provider>): SubjectChanges => ({
  inside: (provider) => ({ ...provider, ...change(provider) }),
});

/** Methods replaced above them. */
export const outside = (change: (provider: Whole) => Partial<Provider>): SubjectChanges => ({
  outside: (provider) => ({ ...provider, ...change(provider) }),
});

/** What goes to the backend for a chat, changed. `undefined` leaves a field out. */
export const sent = (change: (body: JsonObject, request: ChatRequest) => JsonObject): SubjectChanges =>
  part({ encodeChat: (request, settings) => change(encodeChat(request, settings), request) });

/** The events of a chat, each replaced by any number of others. */
export const events = (
  change: (request: ChatRequest) => (event: ChatEvent) => readonly ChatEvent[],
): SubjectChanges =>
  inside(({ stream }) => ({
    stream: (request, options) => changed(stream(request, options), change(request)),
  }));

async function* changed(source: Events, change: (event: ChatEvent) => readonly ChatEvent[]): Events {
  for await (const event of source) yield* change(event);
}

/** The lines of an answer as the decoder reads them, each replaced by any number of others. */
export const lines = (
  change: (request: ChatRequest) => (line: PlainLine) => readonly PlainLine[],
): SubjectChanges =>
  part({
    createDecoder(request, parts, window) {
      const decoder = PARTS.createDecoder(request, parts, window);
      const wrong = change(request);
      return { ...decoder, add: (line) => wrong(line).flatMap((one) => decoder.add(one)) };
    },
  });

export const isCode = (error: unknown, code: LlmError["code"]): error is LlmError =>
  isLlmError(error) && error.code === code;

/** The fields of a message, a tool or a list of options, as the wire has them. */
export const listOf = (value: unknown): readonly JsonObject[] => (value ?? []) as readonly JsonObject[];

/** A field that is a text, or nothing. */
export const textIn = (field: unknown): string => (typeof field === "string" ? field : "");
