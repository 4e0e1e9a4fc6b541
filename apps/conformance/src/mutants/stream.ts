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
    {},
  ),
  mutant(
    "M68",
    "ends twice",
    shows(() => (event) => (event.type === "finish" ? [event, event] : [event])),
    {},
  ),
  mutant(
    "M69",
    "never closes a block of text",
    shows(() => (event) => (event.type === "text-end" ? [] : [event])),
    {},
  ),
  mutant(
    "M39",
    "sends a last delta when its block is closed",
    shows(
      () => (event) =>
        event.type === "text-end" ? [event, { type: "text-delta", id: event.id, text: "" }] : [event],
    ),
    {},
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
    {},
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
    {},
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
    {},
  ),
  mutant(
    "M09",
    "takes each read for whole lines",
    cuts(() => ({
      add: (bytes) => filled(new TextDecoder().decode(bytes).split(/\r?\n/)),
      end: () => [],
    })),
    {},
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
    {},
  ),
  mutant(
    "M72",
    "has room for twenty lines in a read",
    cuts(() => {
      const own = PARTS.createLines();
      return { add: (bytes) => own.add(bytes).slice(0, 20), end: own.end };
    }),
    {},
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
    {},
  ),
  mutant(
    "M42",
    "reads as fast as the backend writes, and keeps what nobody has taken",
    outside(({ stream }) => ({ stream: (request, options) => readAhead(stream(request, options)) })),
    {},
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
    {},
  ),
  mutant(
    "M75",
    "needs the model's name in the first piece",
    lines(() => (line) => {
      if (line.type === "start" && line.model === undefined) throw new SyntaxError("no model");
      return [line];
    }),
    {},
  ),
  mutant(
    "M76",
    "always shows the backend's own pieces",
    inside(({ stream }) => ({
      stream: (request, options) => stream({ ...request, includeRaw: true }, options),
    })),
    {},
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
    {},
  ),
  mutant(
    "M45",
    "looks for calls in all pieces but the last",
    lines(
      () =>
        ({ calls, ...line }) =>
          line.type === "end" ? [line] : [{ ...line, ...(calls && { calls }) }],
    ),
    {},
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
    {},
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
    {},
  ),
];

/** The answer in one piece as the lines that it would have been. */
function piecesOf({ text = "", reason = "stop", ...rest }: PlainLine): readonly PlainLine[] {
  return [
    { type: "text", text },
    { ...rest, type: "end", reason },
  ];
}
