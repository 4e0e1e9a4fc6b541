import type { ChatEvent } from "@enginehouse/llm-core";

import type { LineDecoder } from "../reference/lines.ts";
import { PARTS } from "../reference/parts.ts";
import type { SubjectChanges } from "../reference/subject.ts";
import type { PlainLine } from "../reference/wire.ts";
import { inside, lines, mutant, outside, part, sent } from "./making.ts";
import type { Mutant } from "./mutant.ts";

type Events = AsyncIterable<ChatEvent>;

/** The events of a chat above the core, each replaced by any number of others. */
const shows = (change: () => (event: ChatEvent) => readonly ChatEvent[]): SubjectChanges =>
  outside(({ stream }) => ({
    async *stream(request, options) {
      const wrong = change();
      for await (const event of stream(request, options)) yield* wrong(event);
    },
  }));

/** Cuts bytes into lines in a way of its own. */
const cuts = (create: () => LineDecoder): SubjectChanges => part({ createLines: create });

const filled = (texts: readonly string[]): readonly string[] => texts.filter((text) => text !== "");

/** All is read at once, however slowly it is taken. */
async function* readAhead(source: Events): Events {
  const events: ChatEvent[] = [];
  let over = false;
  let fault: unknown;
  let wake = (): void => undefined;
  const iterator = source[Symbol.asyncIterator]();
  void (async () => {
    try {
      for (let read = await iterator.next(); read.done !== true; read = await iterator.next()) {
        events.push(read.value);
        wake();
      }
    } catch (error) {
      fault = error;
    }
    over = true;
    wake();
  })();
  try {
    for (;;) {
      for (let event = events.shift(); event !== undefined; event = events.shift()) yield event;
      if (over) break;
      await new Promise<void>((resolve) => (wake = resolve));
    }
    if (fault !== undefined) throw fault;
  } finally {
    await iterator.return?.();
  }
}

const BATCHES = Symbol.for("enginehouse.batches");

export const STREAM_MUTANTS: readonly Mutant[] = [
  mutant(
    "M38",
    "begins twice",
    shows(() => (event) => (event.type === "start" ? [event, event] : [event])),
    { S01: /there were 2 starts: start \(2\), text-start, text-delta \(8\),/ },
  ),
  mutant(
    "M68",
    "ends twice",
    shows(() => (event) => (event.type === "finish" ? [event, event] : [event])),
    { S02: /there were 2 finishes/ },
  ),
  mutant(
    "M69",
    "never closes a block of text",
    shows(() => (event) => (event.type === "text-end" ? [] : [event])),
    { S03: /still open at the finish: text "text-2"/ },
  ),
  mutant(
    "M39",
    "sends a last delta when its block is closed",
    shows(
      () => (event) =>
        event.type === "text-end" ? [event, { type: "text-delta", id: event.id, text: "" }] : [event],
    ),
    { S04: /a delta for text "text-2", which is not open/ },
  ),
  mutant(
    "M70",
    "leaves the first piece of a call's arguments out of the deltas",
    shows(() => {
      const begun = new Set<string>();
      return (event) => {
        if (event.type !== "tool-input-delta" || begun.has(event.id)) return [event];
        begun.add(event.id);
        return [];
      };
    }),
    { S05: /call "call-1": its deltas say "", its inputText/ },
  ),
  mutant(
    "M37",
    "takes an empty reply for an empty answer",
    part({
      createDecoder(request, parts, window) {
        const decoder = PARTS.createDecoder(request, parts, window);
        let empty = true;
        return {
          ...decoder,
          add(line) {
            empty = false;
            return decoder.add(line);
          },
          end: () => (empty ? decoder.add({ type: "end", reason: "stop" }) : decoder.end()),
        };
      },
    }),
    { S06: /expected stream-interrupted for an empty reply, but the stream/ },
  ),
  mutant(
    "M71",
    "refuses fields that it does not know",
    part({
      parseLine(line) {
        const value = PARTS.parseLine(line) as object;
        if ("x_new" in value) throw new SyntaxError("x_new is not known");
        return value;
      },
    }),
    { S07: /the stream failed after start with invalid-response: the/ },
  ),
  mutant(
    "M09",
    "takes each read for whole lines",
    cuts(() => ({
      add: (bytes) => filled(new TextDecoder().decode(bytes).split(/\r?\n/)),
      end: () => [],
    })),
    {
      S08: /the stream failed after start with invalid-response: the/,
      S09: /the stream failed after start with invalid-response: the/,
      S12: /LlmError invalid-response: the backend sent something that is/,
    },
  ),
  mutant(
    "M10",
    "decodes the bytes of each read by themselves",
    cuts(() => {
      let rest = "";
      return {
        add(bytes) {
          const all = (rest + new TextDecoder().decode(bytes)).split(/\r?\n/);
          rest = all.pop() ?? "";
          return filled(all);
        },
        end: () => filled([rest]),
      };
    }),
    { S09: /the backend sent "naïve Straße – 日本語 ελληνικά 🦊🏳️‍🌈 done", the/ },
  ),
  mutant(
    "M72",
    "has room for twenty lines in a read",
    cuts(() => {
      const own = PARTS.createLines();
      return { add: (bytes) => own.add(bytes).slice(0, 20), end: own.end };
    }),
    { S10: /the stream failed after start, text-start, text-delta \(19\) with/ },
  ),
  mutant(
    "M73",
    "takes a blank line for a piece",
    cuts(() => {
      const decoder = new TextDecoder();
      let rest = "";
      return {
        add(bytes) {
          const all = (rest + decoder.decode(bytes, { stream: true })).split(/\r?\n/);
          rest = all.pop() ?? "";
          return all;
        },
        end: () => filled([rest]),
      };
    }),
    { S11: /the stream failed after start with invalid-response: the/ },
  ),
  mutant(
    "M42",
    "reads as fast as the backend writes, and keeps what nobody has taken",
    outside(({ stream }) => ({ stream: (request, options) => readAhead(stream(request, options)) })),
    { S12: /nobody read, and \d+ of \d+ bytes had left the/ },
  ),
  mutant(
    "M74",
    "tells the backend's word for the end only to those who read single events",
    outside(({ stream }) => ({
      stream(request, options) {
        const own = stream(request, options);
        const batches = async function* (): AsyncGenerator<readonly ChatEvent[]> {
          for await (const event of own) {
            yield event.type === "finish"
              ? [{ ...event, reason: { ...event.reason, raw: undefined } }]
              : [event];
          }
        };
        return { [Symbol.asyncIterator]: () => own[Symbol.asyncIterator](), [BATCHES]: batches };
      },
    })),
    { S13: /finishReason: "\{\\"unified\\":\\"stop\\"\}" from generate\(\),/ },
  ),
  mutant(
    "M75",
    "needs the model's name in the first piece",
    lines(() => (line) => {
      if (line.type === "start" && line.model === undefined) throw new SyntaxError("no model");
      return [line];
    }),
    { S14: /the stream failed after start with invalid-response: the/ },
  ),
  mutant(
    "M76",
    "always shows the backend's own pieces",
    inside(({ stream }) => ({
      stream: (request, options) => stream({ ...request, includeRaw: true }, options),
    })),
    { S15: /nobody asked for raw events, and 10 came/ },
  ),
  mutant(
    "M77",
    "waits for an opening piece",
    lines(() => {
      let open = false;
      return (line) => {
        open ||= line.type === "start" || line.type === "error";
        return open ? [line] : [];
      };
    }),
    { S16: /the stream failed after start with stream-interrupted: the/ },
  ),
  mutant(
    "M45",
    "looks for calls in all pieces but the last",
    lines(
      () =>
        ({ calls, ...line }) =>
          line.type === "end" ? [line] : [{ ...line, ...(calls && { calls }) }],
    ),
    { S17: /one call came with the last piece, and there were 0 tool-call/ },
  ),
  mutant(
    "M46",
    "asks for the answer in one piece",
    {
      parts: {
        ...sent((body) => ({ ...body, stream: false })).parts,
        ...lines(() => (line) => (line.type === undefined ? piecesOf(line) : [line])).parts,
      },
    },
    {
      S06: /expected stream-interrupted for an empty reply, but the stream/,
      // Which of the two depends on how fast the machine reads an answer of this size in one piece.
      S12: /waited 6000 ms for the rest of an answer of \d+|nobody read, and (\d+) of \d+ bytes/,
      S18: /generate\(\) was called, and the request asked for no stream/,
      A03: /waited 3000 ms for the first text of the answer/,
      A04: /waited 3000 ms for the loop to be left/,
      A05: /waited 3000 ms for the first text of the answer/,
      A06: /waited 3000 ms for the first text of the answer/,
      F01: /the body was cut short, and the error is unavailable: the/,
      F02: /the connection was reset, and the error is unavailable: the/,
      F03: /an error came inside the stream after "", and the error has no/,
      F04: /expected invalid-response for a piece that is no JSON, but the/,
      F11: /waited 3000 ms for timeout of 80 ms in the middle of an answer/,
      F16: /expected stream-interrupted after the body ended without the/,
      F17: /expected stream-interrupted after an empty piece came, then the/,
      U08: /33 tokens of input had been told, the error's partial answer/,
      T08: /the backend sent text, call, text; the answer has \["Let me/,
      R01: /the backend thought "The user wants a colour\. Blue is one\.";/,
      R05: /the backend only thought, up to its limit; seen/,
      L13: /waited 3000 ms for the first words/,
      S15: /8 pieces were sent, and 2 raw events came/,
    },
  ),
  mutant(
    "M78",
    "asks before anybody reads",
    outside(({ stream }) => ({
      stream(request, options) {
        const source = stream(request, options)[Symbol.asyncIterator]();
        let early: Promise<IteratorResult<ChatEvent>> | undefined = source.next().then(async (read) => {
          waiting = source.next();
          waiting.catch(() => undefined);
          return read;
        });
        let waiting: Promise<IteratorResult<ChatEvent>> | undefined;
        early.catch(() => undefined);
        const iterator: AsyncIterableIterator<ChatEvent> = {
          [Symbol.asyncIterator]: () => iterator,
          next() {
            const first = early ?? waiting;
            if (early !== undefined) early = undefined;
            else waiting = undefined;
            return first ?? source.next();
          },
          async return() {
            await source.return?.();
            return { value: undefined, done: true };
          },
        };
        return iterator;
      },
    })),
    { S19: /the stream was made and not read, and 1 chat request\(s\) arrived/ },
  ),
];

/** The answer in one piece as the lines that it would have been. */
function piecesOf({ text = "", reason = "stop", ...rest }: PlainLine): readonly PlainLine[] {
  return [
    { type: "text", text },
    { ...rest, type: "end", reason },
  ];
}
