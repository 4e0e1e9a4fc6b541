import assert from "node:assert/strict";

import { type ChatEvent, collect, generate } from "@enginehouse/llm-core";

import type { Bench, Check, Stand } from "../check.ts";
import type { ChatScript, Step } from "../scenario.ts";
import { answer, can, chatsSeen, excerpt, hello, readEvents, readFault, textOf, typesOf } from "./asking.ts";
import { SOON, within } from "./within.ts";

const WORDS = "The quick brown fox jumps over the lazy dog, twice.";
/** Characters of one, two, three and four bytes. */
const LETTERS = "naïve Straße – 日本語 ελληνικά 🦊🏳️‍🌈 done";

/** Pieces of a text, so that a reply has several. */
const pieces = (text: string): readonly Step[] =>
  (text.match(/.{1,7}/gsu) ?? []).map((piece) => ({ text: piece }));

const TOOLS = [
  {
    name: "look_up",
    description: "Looks something up.",
    inputSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
  },
] as const;

/** An answer with all that the subject can have: reasoning, text, a call, and text after it. */
async function fullAnswer(bench: Bench): Promise<ChatEvent[]> {
  const { features } = bench.manifest;
  const thinks = features.includes("reasoning") && can(bench, "reasoning");
  const calls = features.includes("tools") && can(bench, "calls");
  const after = calls && can(bench, "call-anything") ? 3 : Number.POSITIVE_INFINITY;
  const steps: Step[] = [
    ...(thinks ? [{ reasoning: "Let me " }, { reasoning: "think." }] : []),
    ...pieces(WORDS).slice(0, after),
    ...(calls ? [{ call: { name: "look_up", input: { word: "fox" } } }] : []),
    ...pieces(WORDS).slice(after),
  ];
  const stand = await bench.start({ chats: [{ steps }] });
  return readEvents(answer(stand, { ...(calls && { tools: TOOLS }), ...(thinks && { reasoning: "low" }) }));
}

/** The text arrives as it was sent, whatever the bytes look like. */
async function exactText(bench: Bench, text: string, script: Omit<ChatScript, "steps">): Promise<Stand> {
  const stand = await bench.start({ chats: [{ ...script, steps: pieces(text) }] });
  const events = await readEvents(answer(stand));
  assert.equal(
    textOf(events),
    text,
    `the backend sent ${excerpt(text)}, the events said ${excerpt(textOf(events))}`,
  );
  assert.equal(events.at(-1)?.type, "finish", `the stream ended with ${typesOf(events)}`);
  return stand;
}

export const STREAM_CHECKS: readonly Check[] = [
  {
    id: "S01",
    group: "S",
    promise: "A stream begins with exactly one start.",
    why: "A reader takes model and warnings from the first event; whoever shows an answer begins it there.",
    fix: "Yield start before the first byte of the reply is read, and nowhere else: not again when a second piece has a role.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const events = await readEvents(answer(await bench.start({ chats: [{ steps: pieces(WORDS) }] })));
      const starts = events.filter(({ type }) => type === "start").length;
      assert.equal(events[0]?.type, "start", `the first of the events is not start: ${typesOf(events)}`);
      assert.equal(starts, 1, `there were ${starts} starts: ${typesOf(events)}`);
    },
  },
  {
    id: "S02",
    group: "S",
    promise: "A stream ends with exactly one finish, and nothing comes after it.",
    why: "The finish carries the reason and the usage: who does not get it cannot tell a whole answer from a cut one.",
    fix: "Yield finish when the backend's own last piece came, once, and end the iterator after it.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const stand = await bench.start({ chats: [{ steps: pieces(WORDS) }] });
      const events = await readEvents(answer(stand));
      const finishes = events.filter(({ type }) => type === "finish").length;
      assert.equal(finishes, 1, `there were ${finishes} finishes: ${typesOf(events)}`);
      assert.equal(events.at(-1)?.type, "finish", `finish is not the last of the events: ${typesOf(events)}`);
    },
  },
  {
    id: "S03",
    group: "S",
    promise:
      "Every block of text, reasoning or tool input is opened once, closed once before the finish, and has an id of its own.",
    why: "A user interface draws a paragraph for each block: one that is never closed keeps its cursor blinking.",
    fix: "Close the open block when another begins and when the backend's last piece comes; count ids up in each answer.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const events = await fullAnswer(bench);
      const seen = new Set<string>();
      const open = new Set<string>();
      for (const event of events) {
        const [, kind, step] = /^(text|reasoning|tool-input)-(start|end)$/.exec(event.type) ?? [];
        if (event.type === "finish")
          assert.ok(open.size === 0, `still open at the finish: ${[...open].join(", ")}; ${typesOf(events)}`);
        if (kind === undefined || !("id" in event)) continue;
        const block = `${kind} "${event.id}"`;
        if (step === "start") {
          assert.ok(!seen.has(block), `${block} is opened a second time: ${typesOf(events)}`);
          seen.add(block);
          open.add(block);
        } else {
          assert.ok(open.delete(block), `${block} is closed and was not open: ${typesOf(events)}`);
        }
      }
      assert.ok(seen.size > 0, `the answer had text, and no block was opened: ${typesOf(events)}`);
    },
  },
  {
    id: "S04",
    group: "S",
    promise: "A delta comes only within a block that is open.",
    why: "Readers add a delta to the block of its id; one without a block is lost, or spoils another.",
    fix: "Open the block with the first delta of its kind; after its end, text needs a new block with a new id.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const events = await fullAnswer(bench);
      const open = new Set<string>();
      let deltas = 0;
      for (const event of events) {
        const [, kind, step] = /^(text|reasoning|tool-input)-(start|delta|end)$/.exec(event.type) ?? [];
        if (kind === undefined || !("id" in event)) continue;
        const block = `${kind} "${event.id}"`;
        if (step === "start") open.add(block);
        else if (step === "end") open.delete(block);
        else {
          deltas += 1;
          assert.ok(open.has(block), `a delta for ${block}, which is not open: ${typesOf(events)}`);
        }
      }
      assert.ok(deltas > 0, `the answer had text, and no delta came: ${typesOf(events)}`);
    },
  },
  {
    id: "S05",
    group: "S",
    promise:
      "The deltas of text, reasoning and tool input add up to the answer's text, its reasoning and each call's inputText.",
    why: "What a user saw grow and what is stored must be one and the same.",
    fix: "Yield each piece once: a backend that repeats the whole text in its last piece has said it already.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const events = await fullAnswer(bench);
      // A model that writes a call after a text writes what it likes between the two.
      const whole = can(bench, "text") && can(bench, "call-anything") ? WORDS : textOf(events);
      assert.equal(
        textOf(events),
        whole,
        `the backend sent ${excerpt(WORDS)}, the deltas say ${excerpt(textOf(events))}`,
      );
      for (const call of events) {
        if (call.type !== "tool-call") continue;
        const input = events
          .map((event) => (event.type === "tool-input-delta" && event.id === call.id ? event.text : ""))
          .join("");
        const begun = events.some((event) => event.type === "tool-input-start" && event.id === call.id);
        if (!begun) continue;
        assert.equal(
          input,
          call.inputText,
          `call "${call.id}": its deltas say ${excerpt(input)}, its inputText ${excerpt(call.inputText)}`,
        );
      }
    },
  },
  {
    id: "S06",
    group: "S",
    promise: "A reply without a single piece is stream-interrupted, never an empty answer.",
    why: "A proxy that swallows a body, or a backend that dies at once, would look like a model with nothing to say.",
    fix: "Count only the backend's own last piece as the end; without it throw stream-interrupted.",
    needs: { operations: ["chat"], wire: ["cuts"] },
    async run(bench) {
      const stand = await bench.start({ chats: [{ steps: [], end: "none", form: { bare: true } }] });
      const { fault } = await readFault(answer(stand), "stream-interrupted for an empty reply");
      assert.equal(
        fault.code,
        "stream-interrupted",
        `the reply was empty, and the error is ${fault.code}: ${fault.message}`,
      );
    },
  },
  {
    id: "S07",
    group: "S",
    promise: "Fields that nobody knows change nothing.",
    why: "Backends add fields in every release; a plugin that breaks on them breaks on its users' next update.",
    fix: "Read the fields that you need, and look at no others: no strict schema on the stream.",
    needs: { operations: ["chat"], wire: ["lines", "text"] },
    async run(bench) {
      await exactText(bench, WORDS, { form: { unknownFields: true } });
    },
  },
  {
    id: "S08",
    group: "S",
    promise: "The text is exact when every byte of the reply arrives alone.",
    why: "Networks cut where they like: a plugin that takes a read for a line works at home and fails behind a proxy.",
    fix: "Keep what follows the last line end for the next read, and parse whole lines only.",
    needs: { operations: ["chat"], wire: ["bytes", "text"] },
    async run(bench) {
      await exactText(bench, "Every byte alone.", { form: { bytes: 1 } });
    },
  },
  {
    id: "S09",
    group: "S",
    promise: "A character whose bytes arrive in different reads stays whole.",
    why: "Every language but English would get replacement characters, now and then, and only in production.",
    fix: "Decode with one TextDecoder for the whole reply and `{ stream: true }`, or split bytes at line ends before decoding.",
    needs: { operations: ["chat"], wire: ["bytes", "unicode"] },
    async run(bench) {
      for (const bytes of [1, 2 + Math.floor(bench.random() * 6)]) {
        bench.saw(`cut every ${bytes} byte(s)`);
        await exactText(bench, LETTERS, { form: { bytes } });
      }
    },
  },
  {
    id: "S10",
    group: "S",
    promise: "Many pieces in one read are all there, in order.",
    why: "A fast backend or a waking reader gets a hundred lines at once; a plugin that parses the read as one loses them.",
    fix: "Split each read at line ends, and handle every line.",
    needs: { operations: ["chat"], wire: ["lines", "text"] },
    async run(bench) {
      const words = Array.from({ length: 60 }, (_, index) => `word ${index}`).join(" ");
      await exactText(bench, words, { form: { merged: true } });
    },
  },
  {
    id: "S11",
    group: "S",
    promise: "Line ends of either kind, blank lines and comments between pieces change nothing.",
    why: "Proxies and servers send keep-alive comments and CRLF; both are allowed.",
    fix: "Cut a carriage return off each line, and skip lines that are empty or, in server-sent events, begin with a colon.",
    needs: { operations: ["chat"], wire: ["lines", "text"] },
    async run(bench) {
      await exactText(bench, WORDS, { form: { crlf: true, blanks: true } });
    },
  },
  {
    id: "S12",
    group: "S",
    promise:
      "A reader that stops reading stops the backend: what waits in between stays bounded, and nothing of it is lost.",
    why: "One slow client of a service would fill its memory with answers that nobody reads.",
    fix: "Read from the socket when an event is asked for, not before: no array that a background loop fills.",
    needs: { operations: ["chat"], wire: ["sockets", "text"] },
    async run(bench) {
      const line = "x".repeat(64 * 1024);
      const steps: readonly Step[] = Array.from({ length: SLOW_LINES }, () => ({ text: line }));
      const stand = await bench.start({ chats: [{ steps }] });
      const sent = (): number => chatsSeen(stand.backend)[0]?.sentBytes ?? 0;
      const all = SLOW_LINES * line.length;
      let length = 0;
      let early = 0;
      const read = async (): Promise<void> => {
        for await (const event of answer(stand)) {
          if (event.type !== "text-delta") continue;
          if (length === 0) early = await settled(sent);
          length += event.text.length;
        }
      };
      await within(2 * SOON, read(), `the rest of an answer of ${all} characters; ${length} were read`);
      bench.saw(`${early} of ${all} bytes had left the backend while nobody read`);
      assert.ok(
        early < all / 2,
        `nobody read, and ${early} of ${all} bytes had left the backend: they wait in memory`,
      );
      assert.equal(length, all, `${all} characters were sent and ${length} arrived`);
    },
  },
  {
    id: "S13",
    group: "S",
    promise: "The whole answer of generate() is what the events of the stream add up to.",
    why: "An application that streams in one place and waits in another must not get two different answers.",
    fix: "Yield the same events however they are read. Whoever hands out batches hands out each event in one batch.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const script: ChatScript = { steps: pieces(WORDS) };
      const stand = await bench.start({ chats: [script, script] });
      const events = await readEvents(answer(stand));
      const whole = await within(SOON, generate(stand.provider, hello(stand.model)), "the whole answer");
      const added = await collect(
        (async function* () {
          yield* events;
        })(),
      );
      for (const field of ["text", "reasoning", "toolCalls", "finishReason", "usage", "context"] as const) {
        const [one, other] = [whole, added].map((response) => {
          // An engine reads the second of two equal prompts from its cache.
          if (field !== "usage" || can(bench, "usage-cached")) return response[field];
          return { ...response.usage, cachedInputTokens: undefined };
        });
        assert.deepEqual(
          one,
          other,
          `${field}: ${told(one)} from generate(), ${told(other)} from the events`,
        );
      }
    },
  },
  {
    id: "S14",
    group: "S",
    promise: "A reply needs no ids, times or model names of its own.",
    why: "Compatible servers leave out what their model answers do not need; users expect them to work.",
    fix: "Read ids, times and names as optional, and make up the ids that events need.",
    needs: { operations: ["chat"], wire: ["lines", "text"] },
    async run(bench) {
      await exactText(bench, WORDS, { form: { lean: true } });
    },
  },
  {
    id: "S15",
    group: "S",
    promise: "Raw pieces come only when they were asked for, and do then.",
    why: "They cost memory and show what a backend said; whoever debugs a backend needs them.",
    fix: "Yield raw for each piece when `includeRaw` is true, and never otherwise.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const script: ChatScript = { steps: pieces(WORDS) };
      const stand = await bench.start({ chats: [script, script] });
      const without = await readEvents(answer(stand));
      const raw = (events: readonly ChatEvent[]): number =>
        events.filter(({ type }) => type === "raw").length;
      assert.equal(
        raw(without),
        0,
        `nobody asked for raw events, and ${raw(without)} came: ${typesOf(without)}`,
      );
      const withRaw = await readEvents(answer(stand, { includeRaw: true }));
      assert.equal(textOf(withRaw), textOf(without), "with raw events the text is another one");
      const sent = script.steps?.length ?? 0;
      if (can(bench, "lines") && can(bench, "text"))
        assert.ok(
          raw(withRaw) >= sent,
          `includeRaw was true, ${sent} pieces were sent, and ${raw(withRaw)} raw events came: ${typesOf(withRaw)}`,
        );
    },
  },
  {
    id: "S16",
    group: "S",
    promise: "A reply may begin with text at once, without a role or an opening piece.",
    why: "Some servers send the role first, some never; both are common.",
    fix: "Take the first text as the beginning; wait for no opening piece.",
    needs: { operations: ["chat"], wire: ["lines", "text"] },
    async run(bench) {
      await exactText(bench, WORDS, { form: { bare: true } });
    },
  },
  {
    id: "S17",
    group: "S",
    promise: "A tool call that comes inside the backend's last piece is a call like any other.",
    why: "Small answers fit one piece: the call and the end arrive together, and the call would be lost.",
    fix: "Read content and calls of every piece before looking at whether it is the last.",
    needs: { operations: ["chat"], features: ["tools"], wire: ["calls", "call-terminal"] },
    async run(bench) {
      const call = { name: "look_up", input: { word: "fox" }, terminal: true };
      const stand = await bench.start({ chats: [{ steps: [{ call }] }] });
      const events = await readEvents(answer(stand, { tools: TOOLS }));
      const calls = events.filter(({ type }) => type === "tool-call").length;
      assert.equal(
        calls,
        1,
        `one call came with the last piece, and there were ${calls} tool-call events: ${typesOf(events)}`,
      );
    },
  },
  {
    id: "S18",
    group: "S",
    promise:
      "An answer is streamed also when the whole of it is wanted: its pieces arrive while the backend still writes.",
    why: "Some servers notice only while they write that the client has gone; without a stream, a cancelled answer is computed to its end.",
    fix: "Ask the backend for a stream in every request, and yield each piece when it arrives.",
    needs: { operations: ["chat"], wire: ["sockets", "slow-text"] },
    async run(bench) {
      const stand = await bench.start({
        chats: [{ steps: pieces("All at once.") }, { steps: [{ text: "now" }, { pause: "forever" }] }],
      });
      await within(SOON, generate(stand.provider, hello(stand.model)), "the whole answer");
      const [asked] = chatsSeen(stand.backend);
      assert.notEqual(
        asked?.asked.stream,
        false,
        "generate() was called, and the request asked for no stream",
      );
      const first = async (): Promise<void> => {
        for await (const event of answer(stand)) if (event.type === "text-delta") return;
        assert.fail("the stream ended without text");
      };
      await within(
        SOON,
        first(),
        "the first piece of an answer that goes on: it arrives only with the whole",
      );
    },
  },
  {
    id: "S19",
    group: "S",
    promise: "A stream that nobody reads asks nothing of the backend.",
    why: "A request whose stream is dropped unread would run on, and nobody could stop it.",
    fix: "Send the request at the first read, not when the stream is made.",
    needs: { operations: ["chat"], wire: ["sockets"] },
    async run(bench) {
      const stand = await bench.start();
      answer(stand);
      await new Promise((resolve) => void setTimeout(resolve, 30));
      const { length } = chatsSeen(stand.backend);
      assert.equal(length, 0, `the stream was made and not read, and ${length} chat request(s) arrived`);
    },
  },
  {
    id: "S20",
    group: "S",
    promise:
      "Each piece of text arrives as it was sent: the same once more, white space alone, and line ends of every kind.",
    why: "Code loses its indentation, lists run together, and a number such as 1000 its noughts.",
    fix: "Hand every piece on as it is: no trim, no skipping of what is blank or was there before, and lines cut at the wire's own line ends only, which readline does not.",
    needs: { operations: ["chat"], wire: ["lines", "text", "unicode"] },
    async run(bench) {
      const sent = [
        "1",
        "0",
        "0",
        "0",
        "\n",
        "\n",
        "  ",
        "\t",
        "ha",
        "ha",
        "\r\n",
        "a\u2028b",
        "\u2029",
        "\u0085",
        " ",
      ];
      for (const form of [{}, { merged: true }]) {
        const stand = await bench.start({ chats: [{ steps: sent.map((text) => ({ text })), form }] });
        const text = textOf(await readEvents(answer(stand)));
        assert.equal(
          text,
          sent.join(""),
          `the backend sent ${excerpt(sent.join(""))}, the events said ${excerpt(text)}`,
        );
      }
    },
  },
];

/** Of 64 KiB each. */
const SLOW_LINES = 400;

/** The number when it has stopped growing. */
async function settled(number: () => number): Promise<number> {
  for (let before = -1, same = 0, rounds = 0; ; rounds += 1) {
    const now = number();
    same = now === before ? same + 1 : 0;
    if (same === 3 || rounds > 200) return now;
    before = now;
    // On a busy machine a timer is late, and the next one comes before a socket had its turn: wait for both.
    await new Promise((resolve) => void setTimeout(resolve, 20));
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

const told = (value: unknown): string =>
  excerpt(typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing"));
