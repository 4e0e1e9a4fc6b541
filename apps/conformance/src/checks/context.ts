import assert from "node:assert/strict";

import { type ChatRequest, isLlmError } from "@enginehouse/llm-core";

import type { AskedMessage } from "../backend.ts";
import type { Check } from "../check.ts";
import {
  answer,
  brief,
  chatFault,
  chatsOf,
  fail,
  lastAsked,
  ok,
  outcome,
  refused,
  user,
  watched,
  withChat,
  words,
} from "./reading.ts";

const NARROW = 128;

export const CONTEXT_CHECKS: readonly Check[] = [
  {
    id: "X01",
    group: "X",
    promise: "A prompt that does not fit the window is refused as context-overflow.",
    why: "Where the backend cuts the prompt instead, the answer is about half of what was asked and nobody learns of it.",
    fix: "Ask the backend to refuse (`truncate: false`, no context shift), and map its refusal to `context-overflow`, with `figures` of prompt and window where it tells them.",
    needs: { operations: ["chat"], wire: ["overflow"] },
    async run(bench) {
      const stand = await bench.start({ models: withChat({ window: NARROW }) });
      const fault = await chatFault(stand, { messages: [user(words(400))] }, "context-overflow");
      assert.notEqual(
        fault.retryable,
        true,
        "context-overflow came with retryable: true; it would fail again",
      );
      bench.saw(`${fault.code}: ${fault.message}`);
    },
  },
  {
    id: "X02",
    group: "X",
    promise: "Of a backend that cuts the prompt in silence, an answer never says that nothing was cut.",
    why: "An application that trusts `truncated: no` cites documents that the model has never seen.",
    fix: "Say `no` only where it is known: compare the backend's count of prompt tokens with the window, or ask which version it is; else say `unknown`.",
    needs: { operations: ["chat"], wire: ["truncation"] },
    async run(bench) {
      const stand = await bench.start({ models: withChat({ window: NARROW, forgets: true }) });
      const end = await outcome(stand, { messages: [user(words(400))] });
      if (isLlmError(end)) {
        assert.equal(
          end.code,
          "context-overflow",
          `the backend cut the prompt; seen ${end.code}: ${end.message}`,
        );
        return bench.saw("context-overflow");
      }
      const { truncated } = end.context;
      if (truncated === "no") {
        const told = end.usage.inputTokens;
        fail(
          `400 words went into a window of ${NARROW}, the backend told ${told} prompt tokens, and the answer says truncated: no`,
        );
      }
      const roomy = await bench.start();
      const { context } = await answer(roomy, { messages: [user(words(4))] });
      assert.notEqual(
        context.truncated,
        "yes",
        "4 words went into a window of 2048, and the answer says truncated: yes",
      );
      return bench.saw(`truncated: ${truncated}`);
    },
  },
  {
    id: "X03",
    group: "X",
    promise:
      "With drop-oldest whole turns go, oldest first, system message and last message stay, and `start` warns of it.",
    why: "A backend's own dropping leaves answers without their questions, and tells nobody.",
    fix: "Leave the dropping to the core, which `defineProvider` puts around the plugin: the plugin only reports `context-overflow`, before it yields anything but `start` and `status`.",
    needs: { operations: ["chat"], wire: ["overflow"] },
    async run(bench) {
      const stand = await bench.start({ models: withChat({ window: NARROW }) });
      const messages = conversation(5, 21);
      const response = await answer(stand, { messages, overflow: "drop-oldest" });
      const warning = response.warnings.find(({ code }) => code === "dropped");
      if (warning === undefined) {
        fail(
          `${messages.length} messages did not fit, the answer came, and no warning has the code dropped: ${brief(response.warnings)}`,
        );
      }
      if (!watched(bench)) return;
      const sent = lastAsked(stand.backend).messages ?? [];
      const dropped = messages.length - sent.length;
      assertWholeTurns(messages, sent);
      assert.ok(
        warning.message.includes(String(dropped)),
        `${dropped} messages were left out, the warning says: ${warning.message}`,
      );
      bench.saw(`${chatsOf(stand.backend).length} requests, ${warning.message}`);
    },
  },
  {
    id: "X04",
    group: "X",
    promise:
      "The window that a model was loaded with goes to the backend with every chat, and is the one that is reported.",
    why: "A backend takes a request without a window as a wish for its default one: it loads the model again, slowly, and smaller.",
    fix: "Keep the window of `loadModel` and send it with every request; report it as `context.window`.",
    needs: { operations: ["chat", "load"], wire: ["window-sent", "sockets"] },
    async run(bench) {
      const stand = await bench.start();
      const load = stand.provider.loadModel?.({ model: stand.model, contextWindow: 512 });
      await ok("loadModel", load ?? fail("no loadModel"));
      const { context } = await answer(stand);
      const { window } = lastAsked(stand.backend);
      assert.equal(
        window,
        512,
        `loaded with a window of 512; the chat asked the backend for ${window ?? "none"}`,
      );
      assert.equal(
        context.window ?? window,
        window,
        `the chat asked for a window of ${window}, its answer reports ${context.window}`,
      );
    },
  },
  {
    id: "X05",
    group: "X",
    promise: "A text that is too long for the embedder is input-too-long, alone and among others.",
    why: "A vector of the text's beginning looks like any other vector, so that what stands at the end is never found.",
    fix: "Ask the backend not to truncate, and map its refusal to `input-too-long`; where it cannot refuse, count first.",
    needs: { operations: ["embed"], wire: ["embed-limit"] },
    async run(bench) {
      const { provider, backend } = await bench.start();
      const model = backend.models.embedding;
      for (const texts of [[words(400)], ["A short text.", words(400)]]) {
        const work = provider.embed?.({ model, texts }) ?? fail("no embed");
        const told = work.then(({ vectors }) => `${vectors.length} vectors`);
        await refused(
          `embed of ${texts.length} text(s), one of 400 words for a limit of 128`,
          told,
          "input-too-long",
        );
      }
    },
  },
  {
    id: "X06",
    group: "X",
    promise: "An answer that fills the window ends with length, or is reported as truncated.",
    why: "A backend that shifts its window writes on without the question, for ever if need be.",
    fix: "Ask the backend not to shift (`shift: false`), or give it a limit of output that the window can hold; pass its `length` on.",
    needs: { operations: ["chat"], wire: ["length"] },
    async run(bench) {
      const models = withChat({ window: NARROW });
      const stand = await bench.start({ models, chats: [{ steps: [{ text: words(400) }] }] });
      const { finishReason, context, text } = await answer(stand);
      const told = finishReason.unified === "length" || context.truncated === "yes";
      const count = text.split(" ").length;
      bench.saw(`${count} words, ${finishReason.unified}, truncated ${context.truncated}`);
      if (!told) {
        fail(
          `an answer of ${count} words in a window of ${NARROW} ended with ${finishReason.unified} and truncated: ${context.truncated}`,
        );
      }
    },
  },
  {
    id: "X07",
    group: "X",
    promise: "Of a backend that forgets while it writes, an answer never says that nothing was cut.",
    why: "Servers shift the window although they were asked not to: older versions do not know the option.",
    fix: "Compare prompt and output tokens with the window before you say `truncated: no`.",
    needs: { operations: ["chat"], wire: ["truncation", "usage"] },
    async run(bench) {
      const models = withChat({ window: NARROW, forgets: true });
      const stand = await bench.start({ models, chats: [{ steps: [{ text: words(400) }] }] });
      const response = await answer(stand);
      const { inputTokens = 0, outputTokens = 0 } = response.usage;
      if (response.finishReason.unified === "length") return bench.saw("length");
      if (response.context.truncated === "no") {
        fail(
          `${inputTokens} tokens in and ${outputTokens} out went through a window of ${NARROW}, and the answer says truncated: no`,
        );
      }
      return bench.saw(`truncated: ${response.context.truncated}`);
    },
  },
  {
    id: "X08",
    group: "X",
    promise:
      "With drop-oldest the last message is never dropped: where it alone does not fit, that is context-overflow.",
    why: "A model that is asked nothing answers anything.",
    fix: "Leave the dropping to the core; a plugin that shortens by itself must stop at the last turn.",
    needs: { operations: ["chat"], wire: ["overflow"] },
    async run(bench) {
      const stand = await bench.start({ models: withChat({ window: NARROW }) });
      const messages = [...conversation(1, 20), user(words(400))];
      await chatFault(stand, { messages, overflow: "drop-oldest" }, "context-overflow");
      const count = chatsOf(stand.backend).length;
      assert.ok(count <= messages.length, `${messages.length} messages led to ${count} requests`);
    },
  },
  {
    id: "X09",
    group: "X",
    promise: "countTokens counts a conversation as the backend counts it when it is sent.",
    why: "Who trims a conversation by a count that is too low meets the overflow that it meant to avoid.",
    fix: "Count with the model's own tokenizer and chat template, not by characters.",
    needs: { operations: ["chat", "count"], wire: ["counts"] },
    async run(bench) {
      const stand = await bench.start();
      const messages = conversation(2, 9);
      const counting = stand.provider.countTokens?.({ model: stand.model, messages });
      const counted = await ok("countTokens", counting ?? fail("no countTokens"));
      const { usage } = await answer(stand, { messages });
      assert.equal(
        counted.tokens,
        usage.inputTokens,
        `countTokens says ${counted.tokens}, the backend counted ${usage.inputTokens} for the same messages`,
      );
      const texts = [words(5), words(40), words(5)];
      const each = await ok(
        "countTokens of texts",
        stand.provider.countTokens?.({ model: stand.model, texts }) ?? fail("no countTokens"),
      );
      const { tokens, perText } = each;
      if (perText === undefined) return;
      const [one = 0, other = 0, third = 0] = perText;
      assert.ok(
        perText.length === texts.length && one === third && one < other,
        `texts of 5, 40 and 5 words were counted as ${brief(perText)}`,
      );
      assert.ok(
        tokens >= one + other + third,
        `${brief(perText)} tokens for each text are ${tokens} for all`,
      );
    },
  },
];

type Messages = ChatRequest["messages"];

/** A system message, so many turns of so many words each way, and a question. */
function conversation(turns: number, length: number): Messages {
  const said = Array.from({ length: turns }, (_, turn): Messages => [
    user(words(length, `ask${turn}x`)),
    { role: "assistant", content: words(length, `reply${turn}x`) },
  ]);
  return [{ role: "system", content: "Answer in one word." }, ...said.flat(), user("Which one was it?")];
}

function assertWholeTurns(given: Messages, sent: readonly AskedMessage[]): void {
  const seen = brief(sent.map(({ role, text }) => `${role}: ${text.slice(0, 20)}`));
  const all = given.map(({ content }) => content);
  const kept = sent.map(({ text }) => text);
  assert.equal(kept[0], all[0], `the system message is gone; sent: ${seen}`);
  assert.equal(kept.at(-1), all.at(-1), `the last message is gone; sent: ${seen}`);
  assert.deepEqual(
    kept.slice(1),
    all.slice(all.length - kept.length + 1),
    `not the oldest messages went; sent: ${seen}`,
  );
  assert.ok(kept.length < all.length, `nothing was dropped; sent: ${seen}`);
  assert.equal(sent[1]?.role, "user", `a turn was cut in two, its answer lost its question; sent: ${seen}`);
}
