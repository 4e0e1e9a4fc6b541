/** Answers of any length: the service stays awake, and whoever leaves ends the work. */
import { afterEach, describe, expect, test } from "vitest";

import type { Run } from "../src/api/schemas.ts";
import { type AnswerSentence, createSentenceCutter } from "../src/cite/answer-sentences.ts";
import { createAttributor } from "../src/cite/attribute.ts";
import { createDouble, type Double, type DoubleModel, words } from "./double.ts";
import { addText, json, serviceUnderTest, type UnderTest, until } from "./under-test.ts";

const HANDBOOK =
  "# Cape Morrow\n\nThe lighthouse at Cape Morrow was built in 1874 by Ada Lindqvist. " +
  "Its lamp burned colza oil until 1911.\n";
const QUESTION = "Who built the lighthouse at Cape Morrow?";
const MOST = 1_000_000;
/** A surrogate without its other half. */
const HALF = /\p{Cs}/u;

const ORDINARY = `## Facts

The lamp, i.e. the light of Dr. Valcourt, has been electric since 1931 [2]. It burned whale oil at first.[2] Was it bright?

1. The basin was dug in 1871 [1].
2. Diesel is sold from eight to five, says the office, which is open on every day of the week but Sunday,
and in winter it closes earlier than that.

- A point without a full stop
- Another one [^3]

\`\`\`js
const basin = "dug. In 1871.";

const lamp = 3.4;
\`\`\`

Here is more:

The sky is green. 😀 The mayor lives in Oslo 【3†source】. それは灯台です。港は大きい。Ende [1, 2].`;

const open: UnderTest[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

describe("the sentences of an answer", () => {
  test("are the same in pieces of any size as in one", () => {
    const text = `${ORDINARY}\n\n${"The lamp was lit, and ".repeat(700)}${ORDINARY}`;
    const whole = cut([text]);
    expect(whole.length).toBeGreaterThan(25);
    const random = randomFrom(7);
    for (let round = 0; round < 12; round += 1) {
      const most = 2 ** round;
      const pieces: string[] = [];
      for (let at = 0; at < text.length;) {
        const size = 1 + Math.floor(random() * most);
        pieces.push(text.slice(at, at + size));
        at += size;
      }
      expect(cut(pieces)).toEqual(whole);
    }
  });

  test.each([
    ["of words", "and on ".repeat(5_000)],
    ["of one word", "x".repeat(35_000)],
    ["of emoji", "😀".repeat(17_000)],
    ["of full stops", "a.b.c.".repeat(6_000)],
    ["in a bracket that stays open", `${"The lamp 【1 was lit and ".repeat(1_500)}${"on and ".repeat(50)}`],
  ])("have a bound, though one %s has no end", (_what, text) => {
    const found = cut([text]);
    expect(found).toEqual(cut(text.match(/.{1,7}/gsu) ?? []));
    expect(found.length).toBeGreaterThan(5);
    let former = 0;
    for (const { start, end } of found) {
      expect(end - start).toBeLessThanOrEqual(4_000);
      expect(text.slice(former, start).trim()).toBe("");
      expect(text.slice(start, end)).not.toMatch(HALF);
      former = end;
    }
    expect(text.slice(former).trim()).toBe("");
  });

  test("are told while the answer is still without its end", () => {
    const cutter = createSentenceCutter();
    cutter.push("and on ".repeat(1_000));
    expect(cutter.next()?.start).toBe(0);
  });

  test("leave a long block of code whole, and go on after white space of any length", () => {
    const code = `\`\`\`\n${"x = 1.\n".repeat(5_000)}\`\`\``;
    const text = `${code}${" \n".repeat(9_000)}The lamp was lit.`;
    expect(cut([text]).map(({ start, end }) => text.slice(start, end))).toEqual([code, "The lamp was lit."]);
    expect(cut(text.match(/.{1,5}/gs) ?? [])).toEqual(cut([text]));
  });
});

describe("judging an answer of thousands of sentences", () => {
  const many = Array.from({ length: 4_000 }, (_, at) => `The lamp was number ${at}. `).join("");

  test("lets the event loop have its turns", async () => {
    const attributor = createAttributor({ question: QUESTION, passages: [] });
    const turns = countTurns();
    attributor.push(many);
    const { sentences } = await attributor.finish();
    expect(sentences).toHaveLength(4_000);
    expect(turns.stop()).toBeGreaterThan(2);
  });

  test("ends when its signal does", async () => {
    const controller = new AbortController();
    let told = 0;
    const attributor = createAttributor({
      question: QUESTION,
      passages: [],
      signal: controller.signal,
      onSentence: () => (told += 1),
    });
    attributor.push(many);
    setImmediate(() => controller.abort());
    await expect(attributor.finish()).rejects.toThrow("aborted");
    expect(told).toBeLessThan(4_000);
  });
});

describe("the service", () => {
  test("answers others while a long answer is judged, and stops when the reader leaves", async () => {
    const { app, double } = await house(words("The lamp was lit, or so they say. ".repeat(20_000)));
    const leave = new AbortController();
    const body = json("POST", { question: QUESTION, stream: false });
    const left = app.request("/api/v1/answer", { ...body, signal: leave.signal }).catch(() => undefined);
    const run = await running(app, (one) => one.sentences.length > 0);
    expect((await app.request("/healthz")).status).toBe(200);
    expect(app.service.runs.get(run.runId).status).toBe("running");
    leave.abort();
    await left;
    const ended = await app.service.runs.finished(run.runId);
    expect(ended.status).toBe("cancelled");
    expect(ended.sentences.length).toBeLessThan(20_000);
    expect(double.running()).toBe(0);
  });

  test("has turns also between pieces that come without a pause", async () => {
    const { app, double } = await house(async function* speak() {
      for (;;) yield "";
    });
    const leave = new AbortController();
    const body = json("POST", { question: QUESTION, stream: false });
    const left = app.request("/api/v1/answer", { ...body, signal: leave.signal }).catch(() => undefined);
    const run = await running(app, () => double.running() === 1);
    leave.abort();
    await left;
    expect((await app.service.runs.finished(run.runId)).status).toBe("cancelled");
    await until(() => double.running() === 0);
  });

  test.each([
    ["in one piece", words("The lamp was lit 😀 ".repeat(60_000))],
    ["in pieces without an end", endlessly("The lamp was lit 😀 ".repeat(1_000))],
  ])("takes no more than its bound of an answer %s, and says so", async (_how, speak) => {
    const { app, double } = await house(speak);
    const body = json("POST", { question: QUESTION, stream: false });
    const run = (await (await app.request("/api/v1/answer", body)).json()) as Run;
    expect(run).toMatchObject({
      status: "completed",
      finishReason: "length",
      model: { model: "long" },
      attempts: [{ status: "answered" }],
    });
    expect(run.answer.length).toBeGreaterThan(MOST - 2);
    expect(run.answer.length).toBeLessThanOrEqual(MOST);
    expect(run.answer).not.toMatch(HALF);
    expect(run.notices.find(({ code }) => code === "answer-cut")?.message).toContain("1,000,000 characters");
    expect(run.sentences.at(-1)?.end).toBe(run.answer.trimEnd().length);
    await until(() => double.running() === 0);
  });
});

async function house(speak: DoubleModel["speak"]): Promise<{ app: UnderTest; double: Double }> {
  const double = createDouble("house", [{ id: "long", speak }]);
  const app = await serviceUnderTest({ plugins: [double] });
  open.push(app);
  await addText(app.service, "handbook.md", HANDBOOK);
  return { app, double };
}

async function running(app: UnderTest, reached: (run: Run) => boolean): Promise<Run> {
  let run: Run | undefined;
  await until(() => {
    run = app.service.runs.list(1)[0];
    return run !== undefined && reached(run);
  });
  if (run === undefined) throw new Error("no run");
  return run;
}

function cut(pieces: readonly string[]) {
  const cutter = createSentenceCutter();
  const found: AnswerSentence[] = [];
  const take = (final: boolean) => {
    for (let next = cutter.next(final); next !== undefined; next = cutter.next(final)) found.push(next);
  };
  for (const piece of pieces) {
    cutter.push(piece);
    take(false);
  }
  take(true);
  return found;
}

function countTurns() {
  let turns = 0;
  let on = true;
  const turn = () => {
    turns += 1;
    if (on) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop() {
      on = false;
      return turns;
    },
  };
}

function endlessly(said: string): DoubleModel["speak"] {
  return async function* speak() {
    for (;;) yield said;
  };
}

/** The same numbers in every run of the test. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
