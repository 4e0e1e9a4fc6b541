import type { ChatEvent, ChatRequest } from "@enginehouse/llm-core";
import { collect } from "@enginehouse/llm-core";
import { givenText, withoutGiven } from "@enginehouse/llm-wire";
import { expect, test } from "vitest";

import { createChatDecoder, createToolNames, PLAIN } from "../src/index.ts";
import { call, chat, REQUEST } from "./read.ts";

const request: ChatRequest = {
  ...REQUEST,
  messages: [...REQUEST.messages, { role: "assistant", content: [{ type: "text", text: "It is " }] }],
};

function answerOf(body: string, given = "It is "): ReturnType<typeof collect> {
  const messages = [...REQUEST.messages, { role: "assistant" as const, content: given }];
  const request: ChatRequest = { ...REQUEST, messages };
  const options = { request, quirks: PLAIN, names: createToolNames(request), warnings: [] };
  const decoder = withoutGiven(createChatDecoder(options), givenText(request));
  const events: ChatEvent[] = [...decoder.start()];
  for (const data of body.split("\n\n").filter((piece) => piece !== ""))
    events.push(...decoder.add([{ event: "message", data: data.slice("data: ".length) }]));
  events.push(...decoder.finish());
  return collect(
    (async function* () {
      yield* events;
    })(),
  );
}

test.each([
  [["It is late."], "late."],
  [["It", " i", "s ", "late."], "late."],
  [["It is ", "late."], "late."],
  [["late."], "late."],
  [["It was", " late."], "It was late."],
  [["It"], "It"],
  [["It is "], ""],
  [["It is It is "], "It is "],
])("%j is %j beyond what was given", async (pieces, text) => {
  const answer = await answerOf(chat(pieces.map((content) => ({ content }))));
  expect(answer.text).toBe(text);
  expect(answer.finishReason.unified).toBe("stop");
});

test("thoughts before it and calls behind it stay", async () => {
  const deltas = [{ reasoning: "hm" }, { content: "It " }, call(0, { id: "c", name: "t", text: "{}" })];
  expect(await answerOf(chat(deltas, "tool_calls"))).toMatchObject({
    reasoning: "hm",
    text: "It ",
    toolCalls: [{ id: "c" }],
  });
});

test("only an assistant's message that comes last is gone on with", () => {
  expect(givenText(request)).toBe("It is ");
  expect(givenText({ messages: [...request.messages, { role: "user", content: "x" }] })).toBe("");
});

test.each([
  ["<think>hm</think>ok", [{ content: "<think>hm</think>ok" }, { content: "ay?" }], "", "ay?"],
  [
    "<think>hm</think>ok",
    [{ content: "<thi" }, { content: "nk>hm</th" }, { content: "ink>okay?" }],
    "",
    "ay?",
  ],
  ["<think>hm</think>ok", [{ reasoning_content: "hm" }, { content: "okay?" }], "", "ay?"],
  ["<think>hm</think>ok", [{ reasoning_content: "ha" }, { content: "okay?" }], "ha", "okay?"],
  ["<think>hm</think>ok", [{ reasoning_content: "h" }, { content: "okay?" }], "h", "okay?"],
  ["<think>hm</think>ok", [{ content: "okay?" }], "", "okay?"],
  ["It is ", [{ reasoning_content: "hm" }, { content: "It is late." }], "hm", "late."],
  ["<think>hm</think>ok", [{ content: "Fine." }], "", "Fine."],
  ["<think>\n\n</think>\n\n", [{ content: "<think>\n\n</think>\n\nHello" }], "", "Hello"],
  ["<think>\n\n</think>\n\n", [{ content: "Hello" }], "", "Hello"],
  ["<think>\n\n</think>\n\nWell", [{ content: "Well, hello" }], "", ", hello"],
  ["<think>I see", [{ content: "<think>I see" }, { content: " it.</think>Yes." }], " it.", "Yes."],
  [
    "<think>I see",
    [{ reasoning_content: "I" }, { reasoning_content: " see it." }, { content: "Yes." }],
    " it.",
    "Yes.",
  ],
])(
  "after %j, of thoughts, too, the answer is what the model adds",
  async (given, deltas, reasoning, text) => {
    const answer = await answerOf(chat(deltas), given);
    expect(answer).toMatchObject({ reasoning, text });
    expect(answer.message.content).toHaveLength((reasoning === "" ? 0 : 1) + 1);
  },
);
