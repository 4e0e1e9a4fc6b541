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

function answerOf(body: string): ReturnType<typeof collect> {
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
