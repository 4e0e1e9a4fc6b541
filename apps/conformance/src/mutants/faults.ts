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
    {},
  ),
  mutant(
    "M84",
    "says that the backend is not there when the connection breaks in an answer",
    part({ transportFault: (error, begun) => PARTS.transportFault(error, begun && isLlmError(error)) }),
    {},
  ),
  mutant(
    "M08",
    "passes over an error inside a stream",
    lines(() => (line) => (line.type === "error" ? [{ type: "end", reason: "stop" }] : [line])),
    {},
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
    {},
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
    {},
  ),
  mutant(
    "M92",
    "takes a wrong key for a wrong request",
    refuses((fault) =>
      fault.status === 401 || fault.status === 403 ? but(fault, {}, "invalid-request") : fault,
    ),
    {},
  ),
  mutant(
    "M93",
    "takes a missing model for a wrong request",
    refuses((fault) => (fault.code === "model-not-found" ? but(fault, {}, "invalid-request") : fault)),
    {},
  ),
  mutant(
    "M94",
    "takes the seconds of Retry-After for milliseconds",
    refuses((fault) =>
      fault.retryAfterMs === undefined ? fault : but(fault, { retryAfterMs: fault.retryAfterMs / 1_000 }),
    ),
    {},
  ),
  mutant(
    "M95",
    "gives up on every refusal",
    refuses((fault) =>
      fault.status !== undefined && fault.status >= 500 ? but(fault, { retryable: false }) : fault,
    ),
    {},
  ),
  mutant(
    "M96",
    "puts a web page into an error's message",
    refuses((fault, body) =>
      body.startsWith("<") ? new LlmError(fault.code, `${fault.message} ${body}`, detailsOf(fault)) : fault,
    ),
    {},
  ),
  mutant("M97", "waits for ever in the middle of an answer", limits({ idle: Number.POSITIVE_INFINITY }), {}),
  mutant("M98", "waits for ever for the first event", limits({ firstEvent: Number.POSITIVE_INFINITY }), {}),
  mutant("M99", "has no limit for the whole call", limits({ total: Number.POSITIVE_INFINITY }), {}),
  mutant(
    "M30",
    "gives up after 300 s, whatever the limits of the call are",
    part({ createConnections: createImpatient }),
    {},
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
    {},
  ),
  mutant(
    "M201",
    "does not say where a call was when it failed",
    refuses((fault) => but(fault, { phase: "stream" })),
    {},
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
    {},
  ),
  mutant(
    "M43",
    "takes a clean end after text for a finish",
    endsAfter((last) => last?.type === "text" && last.text !== ""),
    {},
  ),
  mutant(
    "M44",
    "takes an empty piece before a clean end for a finish",
    endsAfter((last) => last?.type === "text" && last.text === ""),
    {},
  ),
  mutant(
    "M100",
    "does not know its backend's word for a call that the limit cut",
    refuses((fault) =>
      fault.code === "output-invalid" ? but(fault, { hint: undefined }, "provider-internal") : fault,
    ),
    {},
  ),
  mutant(
    "M202",
    "takes a web page for an answer",
    part({
      parseLine: (line) => (line.startsWith("<") ? { type: "end", reason: "stop" } : PARTS.parseLine(line)),
    }),
    {},
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
    {},
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
