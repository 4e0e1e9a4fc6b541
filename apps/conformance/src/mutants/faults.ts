import { type ChatEvent, isLlmError, LlmError } from "@enginehouse/llm-core";

import { PARTS, type Parts } from "../reference/parts.ts";
import type { SubjectChanges } from "../reference/subject.ts";
import type { PlainLine } from "../reference/wire.ts";
import { inside, isCode, lines, mutant, outside, part } from "./making.ts";
import type { Mutant } from "./mutant.ts";

const FINISH: ChatEvent = {
  type: "finish",
  reason: { unified: "stop", raw: undefined },
  usage: { inputTokens: undefined, outputTokens: undefined },
  context: { truncated: "unknown" },
};

/** What a refusal is called, changed. */
const refuses = (change: (fault: LlmError, body: string) => LlmError): SubjectChanges =>
  part({ refusalOf: (status, headers, body) => change(PARTS.refusalOf(status, headers, body), body) });

/** The same fault with other details. */
const but = (fault: LlmError, more: object, code = fault.code): LlmError =>
  new LlmError(code, fault.message, { ...detailsOf(fault), ...more });

function detailsOf({ phase, status, retryable, retryAfterMs, figures, hint, cause }: LlmError): object {
  return { phase, status, retryable, retryAfterMs, figures, hint, cause };
}

/** An end without the last piece counts as one, where `when` says so of what had come. */
const endsAfter = (when: (last: PlainLine | undefined) => boolean): SubjectChanges =>
  part({
    createDecoder(request, parts, window) {
      const decoder = PARTS.createDecoder(request, parts, window);
      let last: PlainLine | undefined;
      return {
        ...decoder,
        add(line) {
          last = line;
          return decoder.add(line);
        },
        end: () => (when(last) ? decoder.add({ type: "end", reason: "stop" }) : decoder.end()),
      };
    },
  });

const limits = (timeouts: object): SubjectChanges =>
  part({
    createClock: (options) =>
      PARTS.createClock({ ...options, timeouts: { ...options.timeouts, ...timeouts } }),
  });

export const FAULT_MUTANTS: readonly Mutant[] = [
  mutant(
    "M07",
    "takes the end of the connection for the end of the answer",
    inside(({ stream }) => ({
      async *stream(request, options) {
        try {
          yield* stream(request, options);
        } catch (error) {
          if (!isCode(error, "stream-interrupted")) throw error;
          yield FINISH;
        }
      },
    })),
    {
      S06: /expected stream-interrupted for an empty reply, but the stream/,
      F01: /expected stream-interrupted after the body was cut short, but/,
      F02: /expected stream-interrupted after the connection was reset, but/,
      F13: /the body was cut short, and the stream ended without an error/,
      F16: /expected stream-interrupted after the body ended without the/,
      F17: /expected stream-interrupted after an empty piece came, then the/,
      F22: /expected stream-interrupted after the first body that was cut short,/,
      U08: /expected stream-interrupted after a body that was cut short,/,
    },
  ),
  mutant(
    "M84",
    "says that the backend is not there when the connection breaks in an answer",
    part({ transportFault: (error, begun) => PARTS.transportFault(error, begun && isLlmError(error)) }),
    {
      F01: /the body was cut short, and the error is unavailable: the/,
      F02: /the connection was reset, and the error is unavailable: the/,
    },
  ),
  mutant(
    "M08",
    "passes over an error inside a stream",
    lines(() => (line) => (line.type === "error" ? [{ type: "end", reason: "stop" }] : [line])),
    { F03: /expected the error that came inside the stream, but the stream/ },
  ),
  mutant(
    "M90",
    "leaves out what it cannot parse",
    part({
      parseLine(line) {
        try {
          return PARTS.parseLine(line);
        } catch {
          return {};
        }
      },
    }),
    {
      F04: /expected invalid-response for a piece that is no JSON, but the/,
      F19: /a web page came, and the error is stream-interrupted: the/,
    },
  ),
  mutant(
    "M91",
    "has no word for a backend that is not there",
    part({
      transportFault(error, begun) {
        const fault = PARTS.transportFault(error, begun);
        const isOurs = isLlmError(error) || fault.code !== "unavailable";
        return isOurs ? fault : new LlmError("provider-internal", "fetch failed");
      },
    }),
    { F05: /nothing listened, and the error is provider-internal: fetch/ },
  ),
  mutant(
    "M92",
    "takes a wrong key for a wrong request",
    refuses((fault) =>
      fault.status === 401 || fault.status === 403 ? but(fault, {}, "invalid-request") : fault,
    ),
    { F06: /status 401 came, and the error is invalid-request: the backend/ },
  ),
  mutant(
    "M93",
    "takes a missing model for a wrong request",
    refuses((fault) => (fault.code === "model-not-found" ? but(fault, {}, "invalid-request") : fault)),
    {
      F07: /the model was missing, and the error is invalid-request: the/,
      L04: /describeModel of kit-nowhere: expected model-not-found, seen/,
      L05: /the chat: expected model-not-found or model-not-installed, seen/,
      L23: /deleteModel of what is gone: expected model-not-found, seen/,
      E11: /expected model-not-found, seen invalid-request/,
    },
  ),
  mutant(
    "M94",
    "takes the seconds of Retry-After for milliseconds",
    refuses((fault) =>
      fault.retryAfterMs === undefined ? fault : but(fault, { retryAfterMs: fault.retryAfterMs / 1_000 }),
    ),
    { F08: /Retry-After was 7 s, and retryAfterMs is 7/ },
  ),
  mutant(
    "M95",
    "gives up on every refusal",
    refuses((fault) =>
      fault.status !== undefined && fault.status >= 500 ? but(fault, { retryable: false }) : fault,
    ),
    {
      F09: /status 500 came, and retryable is false: provider-internal: the/,
      E11: /status 503 may be gone in a moment; seen retryable: false/,
    },
  ),
  mutant(
    "M96",
    "puts a web page into an error's message",
    refuses((fault, body) =>
      body.startsWith("<") ? new LlmError(fault.code, `${fault.message} ${body}`, detailsOf(fault)) : fault,
    ),
    { F10: /the message holds markup: "the backend answered 502: without a/ },
  ),
  mutant("M97", "waits for ever in the middle of an answer", limits({ idle: Number.POSITIVE_INFINITY }), {
    F11: /waited 3000 ms for timeout of 80 ms in the middle of an answer/,
  }),
  mutant("M98", "waits for ever for the first event", limits({ firstEvent: Number.POSITIVE_INFINITY }), {
    F12: /the limit was 400 s, and after 450 s the call still waits/,
    F20: /waited 3000 ms for timeout of 80 ms before the first event/,
  }),
  mutant("M99", "has no limit for the whole call", limits({ total: Number.POSITIVE_INFINITY }), {
    F21: /expected timeout of 120 ms for the whole call, but the stream/,
  }),
  mutant(
    "M30",
    "gives up after 300 s, whatever the limits of the call are",
    part({ createConnections: createImpatient }),
    { F12: /the limit was 400 s, and before 350 s had passed the call/ },
  ),
  mutant(
    "M36",
    "throws its fault at every read",
    outside(({ stream }) => ({
      stream(request, options) {
        const source = stream(request, options)[Symbol.asyncIterator]();
        let fault: unknown;
        const iterator: AsyncIterableIterator<ChatEvent> = {
          [Symbol.asyncIterator]: () => iterator,
          async next() {
            if (fault !== undefined) throw fault;
            try {
              return await source.next();
            } catch (error) {
              fault = error;
              throw error;
            }
          },
          async return() {
            await source.return?.();
            return { value: undefined, done: true };
          },
        };
        return iterator;
      },
    })),
    { F13: /the stream failed a second time: stream-interrupted: the/ },
  ),
  mutant(
    "M201",
    "does not say where a call was when it failed",
    refuses((fault) => but(fault, { phase: "stream" })),
    { F14: /the error's phase is stream, not request/ },
  ),
  mutant(
    "M29",
    "tries again by itself",
    inside(({ stream }) => ({
      async *stream(request, options) {
        try {
          yield* stream(request, options);
        } catch (error) {
          if (!isLlmError(error) || error.retryable !== true || error.status === undefined) throw error;
          for await (const event of stream(request, options)) if (event.type !== "start") yield event;
        }
      },
    })),
    { F15: /one call was answered with status 500, and 2 requests arrived/ },
  ),
  mutant(
    "M43",
    "takes a clean end after text for a finish",
    endsAfter((last) => last?.type === "text" && last.text !== ""),
    { F16: /expected stream-interrupted after the body ended without the/ },
  ),
  mutant(
    "M44",
    "takes an empty piece before a clean end for a finish",
    endsAfter((last) => last?.type === "text" && last.text === ""),
    { F17: /expected stream-interrupted after an empty piece came, then the/ },
  ),
  mutant(
    "M100",
    "does not know its backend's word for a call that the limit cut",
    refuses((fault) =>
      fault.code === "output-invalid" ? but(fault, { hint: undefined }, "provider-internal") : fault,
    ),
    { F18: /the limit cut a call, and the error is provider-internal: the/ },
  ),
  mutant(
    "M202",
    "takes a web page for an answer",
    part({
      parseLine: (line) => (line.startsWith("<") ? { type: "end", reason: "stop" } : PARTS.parseLine(line)),
    }),
    { F19: /expected an error for a web page, but the stream ended without/ },
  ),
  mutant(
    "M203",
    "is broken for good after one broken answer",
    outside(({ stream }) => {
      let broken: unknown;
      return {
        async *stream(request, options) {
          if (broken !== undefined) throw broken;
          try {
            yield* stream(request, options);
          } catch (error) {
            if (isCode(error, "stream-interrupted")) broken = error;
            throw error;
          }
        },
      };
    }),
    { F22: /the stream failed after no event with stream-interrupted: the/ },
  ),
];

/** A limit of its own, as the clients of many backends have. */
function createImpatient(): ReturnType<Parts["createConnections"]> {
  const connections = PARTS.createConnections();
  return {
    ...connections,
    async send(call, clock) {
      const hidden = new AbortController();
      const timer = setTimeout(() => hidden.abort(new Error("no headers came")), 300_000);
      try {
        const signal = AbortSignal.any([clock.signal, hidden.signal]);
        return await connections.send(call, { ...clock, signal });
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
