import assert from "node:assert/strict";

import { isLlmError, type ReasoningEffort } from "@enginehouse/llm-core";

import type { Bench, Check, Needs, Stand } from "../check.ts";
import type { Step } from "../scenario.ts";
import { answer, brief, fail, inShort, lastAsked, outcome, user, warnsOf } from "./reading.ts";

const THOUGHT = "The user wants a colour. Blue is one.";
const REPLY = "Blue.";

const needs = (...wire: NonNullable<Needs["wire"]>): Needs => ({
  operations: ["chat"],
  features: ["reasoning"],
  wire,
});

export const REASONING_CHECKS: readonly Check[] = [
  {
    id: "R01",
    group: "R",
    promise: "Reasoning comes as reasoning, before the text and apart from it.",
    why: "In the text it is shown to users and read by parsers; dropped, nobody can follow the answer.",
    fix: "Read the backend's field for it (`thinking`, `reasoning_content`, `reasoning`) into reasoning blocks.",
    needs: needs("reasoning"),
    async run(bench) {
      const steps = [
        { reasoning: "The user wants a colour. " },
        { reasoning: "Blue is one." },
        { text: REPLY },
      ];
      const { text, reasoning, message } = await answer(await thinking(bench, steps));
      const seen = brief({ reasoning, text });
      assert.equal(reasoning, THOUGHT, `the backend thought ${brief(THOUGHT)}; seen ${seen}`);
      assert.equal(text, REPLY, `the backend answered ${brief(REPLY)}; seen ${seen}`);
      const order = typeof message.content === "string" ? ["text"] : message.content.map(({ type }) => type);
      assert.deepEqual(order, ["reasoning", "text"], `reasoning, then text; seen ${order.join(", ")}`);
    },
  },
  {
    id: "R02",
    group: "R",
    promise:
      "Where a backend puts reasoning between tags at the head of the text, it is taken out, however the tags are cut.",
    why: "Tags come in pieces: a filter that looks at each piece lets `</thi` through, and all that follows is lost or shown.",
    fix: "Hold back what could be the beginning of a tag until the next piece decides.",
    needs: needs("reasoning-tags"),
    async run(bench) {
      const whole = `<think>${THOUGHT}</think>${REPLY}`;
      for (const size of [1, 3, 10, whole.length]) {
        const { text, reasoning } = await answer(await thinking(bench, pieces(whole, size)));
        const seen = `${brief(whole)} came in pieces of ${size}; seen ${brief({ reasoning, text })}`;
        assert.equal(reasoning.trim(), THOUGHT, seen);
        assert.equal(text.trim(), REPLY, seen);
      }
    },
  },
  {
    id: "R03",
    group: "R",
    promise: "The wish for no reasoning reaches the backend, or is refused or warned of.",
    why: "Models think unless told otherwise: left out, the wish costs seconds and tokens.",
    fix: 'Send the backend\'s word for it (`think: false`, `reasoning_effort: "none"`), never leave the field out.',
    needs: needs("reasoning-levels", "sockets"),
    async run(bench) {
      const stand = await thinking(bench, [{ text: REPLY }]);
      await assertWish(stand, "none", (sent) => sent === "none" || sent === false);
    },
  },
  {
    id: "R04",
    group: "R",
    promise: "A tag that the answer is about stays in it.",
    why: "An answer about templates or markup loses its middle, and nobody sees that it did.",
    fix: "Look for the opening tag only at the head of the answer, and for the closing one only after it.",
    needs: { operations: ["chat"], wire: ["text"] },
    async run(bench) {
      const whole = "Write <think> before the thought and </think> after it.";
      for (const size of [4, whole.length]) {
        const { text } = await answer(await thinking(bench, pieces(whole, size)));
        assert.equal(
          text,
          whole,
          `the backend wrote ${brief(whole)} in pieces of ${size}; seen ${brief(text)}`,
        );
      }
    },
  },
  {
    id: "R05",
    group: "R",
    promise:
      "An answer that is only reasoning is an error, or shows its reasoning, and its finish is the backend's.",
    why: "Thinking that eats the limit of tokens leaves an empty text: without the reason, it looks like a model that has nothing to say.",
    fix: "Yield the reasoning, leave the text empty, and pass the backend's finish on.",
    needs: needs("reasoning", "length"),
    async run(bench) {
      const stand = await bench.start({ chats: [{ steps: [{ reasoning: THOUGHT }], end: "length" }] });
      const end = await outcome(stand);
      if (isLlmError(end)) return bench.saw(`${end.code}: ${end.message}`);
      const seen = `the backend only thought, up to its limit; seen ${inShort(end)}`;
      assert.equal(end.reasoning, THOUGHT, seen);
      assert.equal(end.text, "", seen);
      assert.equal(end.finishReason.unified, "length", seen);
      return bench.saw(inShort(end));
    },
  },
  {
    id: "R06",
    group: "R",
    promise: "How much to think reaches the backend as it was asked, or is refused or warned of.",
    why: "`high` that arrives as `on` costs money for nothing, or thinks too little for the question.",
    fix: 'Send the level where the backend has levels; where it only has on and off, warn with `option: "reasoning"` or throw `unsupported`.',
    needs: needs("reasoning-levels", "sockets"),
    async run(bench) {
      const stand = await thinking(bench, [{ text: REPLY }]);
      for (const effort of ["low", "medium", "high"] as const) {
        await assertWish(stand, effort, (sent) => sent === effort);
      }
    },
  },
  {
    id: "R07",
    group: "R",
    promise: "Reasoning of earlier messages never goes back as part of their text.",
    why: "The model takes its own thoughts for what it said, and goes on saying them.",
    fix: "Send reasoning parts in the backend's field for them, or leave them out; join only the text parts.",
    needs: needs("sockets"),
    async run(bench) {
      const stand = await bench.start();
      const content = [
        { type: "reasoning", text: THOUGHT },
        { type: "text", text: REPLY },
      ] as const;
      await answer(stand, {
        messages: [user("Name a colour."), { role: "assistant", content }, user("Another one.")],
      });
      const { messages = [] } = lastAsked(stand.backend);
      const said = messages.find(({ role }) => role === "assistant");
      assert.equal(
        said?.text,
        REPLY,
        `the earlier answer was ${brief(REPLY)}; the backend saw ${brief(said ?? "none")}`,
      );
    },
  },
];

const thinking = (bench: Bench, steps: readonly Step[]): Promise<Stand> =>
  bench.start({ chats: [{ steps }] });

const pieces = (text: string, size: number): readonly Step[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, index) => ({
    text: text.slice(index * size, (index + 1) * size),
  }));

async function assertWish(
  stand: Stand,
  effort: ReasoningEffort,
  fits: (sent: unknown) => boolean,
): Promise<void> {
  const strict = await outcome(stand, { reasoning: effort });
  const refusal = isLlmError(strict);
  if (refusal)
    assert.equal(strict.code, "unsupported", `reasoning ${effort}: seen ${strict.code}: ${strict.message}`);
  const response = refusal ? await answer(stand, { reasoning: effort, unsupported: "warn" }) : strict;
  const { reasoning: sent } = lastAsked(stand.backend);
  if (fits(sent) || warnsOf(response, "reasoning")) return;
  fail(
    `reasoning ${effort} was asked for; the backend saw ${brief(sent ?? "nothing of it")}, and no warning came`,
  );
}
