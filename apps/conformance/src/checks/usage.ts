import assert from "node:assert/strict";

import { type ChatEvent, type FinishEvent, generate } from "@enginehouse/llm-core";

import type { Bench, Check } from "../check.ts";
import type { ChatScript } from "../scenario.ts";
import { answer, can, hello, readEvents, readFault, typesOf } from "./asking.ts";
import { SOON, within } from "./within.ts";

const TEXT: ChatScript = { steps: [{ text: "Three little words." }] };

/** The finish of an answer. */
async function finishOf(bench: Bench, script: ChatScript, more = {}): Promise<FinishEvent> {
  const stand = await bench.start({ chats: [script] });
  return finishIn(await readEvents(answer(stand, more)));
}

function finishIn(events: readonly ChatEvent[]): FinishEvent {
  const finish = events.find((event) => event.type === "finish");
  assert.ok(finish !== undefined, `the answer had no finish: ${typesOf(events)}`);
  return finish;
}

/** An ending in the backend's words becomes one of ours. */
async function ends(bench: Bench, script: ChatScript, expected: string, more = {}): Promise<FinishEvent> {
  const finish = await finishOf(bench, script, more);
  const { unified, raw } = finish.reason;
  assert.equal(
    unified,
    expected,
    `the finish says ${unified} (the backend's word: ${raw ?? "none"}), not ${expected}`,
  );
  return finish;
}

export const USAGE_CHECKS: readonly Check[] = [
  {
    id: "U01",
    group: "U",
    promise: "Token counts are those that the backend told.",
    why: "They are what is paid for, and what decides how much still fits.",
    fix: "Take the backend's last counts as they are: no sum over pieces, no estimate from characters.",
    needs: { operations: ["chat"], wire: ["usage"] },
    async run(bench) {
      const script: ChatScript = {
        ...TEXT,
        usage: { input: 1_234, output: 567 },
        usageEarly: can(bench, "usage-early"),
      };
      const stand = await bench.start({ chats: [script] });
      const { usage } = await within(SOON, generate(stand.provider, hello(stand.model)), "the answer");
      const { inputTokens, outputTokens } = usage;
      assert.equal(
        inputTokens,
        1_234,
        `the backend told 1234 tokens of input, the usage says ${inputTokens}`,
      );
      assert.equal(
        outputTokens,
        567,
        `the backend told 567 tokens of output, the usage says ${outputTokens}`,
      );
    },
  },
  {
    id: "U02",
    group: "U",
    promise: "A count that the backend does not tell is undefined, neither 0 nor NaN.",
    why: "Zero looks like a free answer; whoever adds up costs does not notice.",
    fix: "Hand on what is missing as undefined: no `?? 0`, no Number() of nothing.",
    needs: { operations: ["chat"], wire: ["usage-absent"] },
    async run(bench) {
      const { usage, context } = await finishOf(bench, { ...TEXT, usage: "absent" });
      const told = { ...usage, "context.promptTokens": context.promptTokens };
      for (const [name, value] of Object.entries(told))
        assert.equal(value, undefined, `the backend told no counts, and ${name} is ${value}`);
    },
  },
  {
    id: "U03",
    group: "U",
    promise: "A stream's finish carries the token counts.",
    why: "Many backends tell them in a stream only when they are asked to; most applications stream.",
    fix: "Ask for them in the request where the wire needs it, and wait for the piece that has them.",
    needs: { operations: ["chat"], wire: ["usage"] },
    async run(bench) {
      const { usage } = await finishOf(bench, { ...TEXT, usage: { input: 21, output: 4 } });
      assert.ok(usage !== undefined, "the finish has no usage");
      const { inputTokens, outputTokens } = usage;
      assert.ok(
        inputTokens !== undefined && outputTokens !== undefined,
        `the backend told 21 and 4 tokens, the stream's finish says ${inputTokens} and ${outputTokens}`,
      );
    },
  },
  {
    id: "U04",
    group: "U",
    promise: "An answer that the output limit ended says length.",
    why: "A user must see that the answer was cut, and can ask for more.",
    fix: "Map the backend's word for it; look at the word, not at the number of tokens.",
    needs: { operations: ["chat"], wire: ["length"] },
    run: async (bench) => void (await ends(bench, { ...TEXT, end: "length" }, "length")),
  },
  {
    id: "U05",
    group: "U",
    promise: "An answer with tool calls says tool-calls, also where the backend says stop.",
    why: "An agent's loop goes on because of this word; some servers say stop whatever they made.",
    fix: "Say tool-calls when the answer has calls and the backend's word means a regular end.",
    needs: { operations: ["chat"], features: ["tools"], wire: ["calls", "reason-on-calls"] },
    async run(bench) {
      const tools = [{ name: "look_up", inputSchema: { type: "object", properties: {} } }];
      const script: ChatScript = { steps: [{ call: { name: "look_up", input: {} } }], end: "stop" };
      await ends(bench, script, "tool-calls", { tools });
    },
  },
  {
    id: "U06",
    group: "U",
    promise: "A word for the end that nobody knows is other, and kept as raw.",
    why: "Backends invent words; a wrong guess hides them, and a failure throws the answer away.",
    fix: "Let the map end in `other`, and hand the backend's own word on.",
    needs: { operations: ["chat"], wire: ["raw-reason"] },
    async run(bench) {
      const { reason } = await ends(bench, { ...TEXT, end: { raw: "moonrise" } }, "other");
      assert.equal(reason.raw, "moonrise", `the backend said moonrise, and raw is ${reason.raw}`);
    },
  },
  {
    id: "U07",
    group: "U",
    promise: "An answer that a filter ended says content-filter.",
    why: "It is neither whole nor the fault of a limit: asking for more will not help.",
    fix: "Map the backend's word for it.",
    needs: { operations: ["chat"], wire: ["content-filter"] },
    run: async (bench) => void (await ends(bench, { ...TEXT, end: "content-filter" }, "content-filter")),
  },
  {
    id: "U08",
    group: "U",
    promise: "Token counts that had been told are in the partial answer of an interrupted stream.",
    why: "A broken answer is paid for, too.",
    fix: "Keep the last counts while reading, and put them into the error's partial.",
    needs: { operations: ["chat"], wire: ["usage-early", "cuts"] },
    async run(bench) {
      const script: ChatScript = {
        steps: [{ text: "Half" }, { cut: "close" }],
        usage: { input: 33, output: 9 },
        usageEarly: true,
      };
      const stand = await bench.start({ chats: [script] });
      const { fault } = await readFault(answer(stand), "stream-interrupted after a body that was cut short");
      const input = fault.partial?.usage?.inputTokens;
      assert.equal(input, 33, `33 tokens of input had been told, the error's partial answer says ${input}`);
    },
  },
  {
    id: "U09",
    group: "U",
    promise: "Cached and reasoning tokens are told where the backend tells them, as parts of the whole.",
    why: "They have prices of their own.",
    fix: "Map the two fields; `inputTokens` includes the cached ones, `outputTokens` the reasoning.",
    needs: { operations: ["chat"], wire: ["usage", "usage-cached"] },
    async run(bench) {
      const told = { input: 100, output: 50, cached: 60, reasoning: 20 };
      const { usage } = await finishOf(bench, { ...TEXT, usage: told });
      assert.equal(
        usage.inputTokens,
        100,
        `100 tokens of input, 60 of them cached, and inputTokens is ${usage.inputTokens}`,
      );
      assert.equal(
        usage.cachedInputTokens,
        60,
        `60 tokens were cached, and cachedInputTokens is ${usage.cachedInputTokens}`,
      );
      assert.equal(
        usage.outputTokens,
        50,
        `50 tokens of output, 20 of them reasoning, and outputTokens is ${usage.outputTokens}`,
      );
      assert.equal(
        usage.reasoningTokens,
        20,
        `20 tokens were reasoning, and reasoningTokens is ${usage.reasoningTokens}`,
      );
    },
  },
];
