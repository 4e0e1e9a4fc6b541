import type { ChatEvent, ContextReport } from "@enginehouse/llm-core";
import type { EventDecoder } from "@enginehouse/llm-wire";
import { describe, expect, test } from "vitest";

import { createDecoder, withContext } from "../src/decode.ts";
import { isOverflow, lackIn, mayDoWithout, readFault, withWindow } from "../src/errors.ts";
import { end, piece } from "./ollama-server.ts";

const request = { model: "m", messages: [{ role: "user", content: "hi" }] } as const;
const contextOf = (): ContextReport => ({ truncated: "unknown" });

const decoderOf = (startsLate: boolean): EventDecoder<string> =>
  createDecoder({ request, warnings: [], startsLate, newCallId: () => "call_1", contextOf });

const typesOf = (events: readonly ChatEvent[]): string[] => events.map(({ type }) => type);
const lines = (...values: unknown[]): string[] => values.map((value) => JSON.stringify(value));

describe("the decoder", () => {
  test("starts at once, or with the first line", () => {
    expect(typesOf(decoderOf(false).start())).toEqual(["start"]);
    const late = decoderOf(true);
    expect(late.start()).toEqual([]);
    expect(typesOf(late.add(lines(piece("hi"))))).toEqual(["start", "text-start", "text-delta"]);
  });

  test("closes a block before another kind begins", () => {
    const decoder = decoderOf(false);
    decoder.start();
    const thinking = { message: { thinking: "hm" } };
    const call = { message: { content: "", tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }] } };
    expect(typesOf(decoder.add(lines(thinking, piece("hi"), call, piece("so"), end())))).toEqual([
      "reasoning-start",
      "reasoning-delta",
      "reasoning-end",
      "text-start",
      "text-delta",
      "text-end",
      "tool-input-start",
      "tool-input-delta",
      "tool-input-end",
      "tool-call",
      "text-start",
      "text-delta",
      "text-end",
      "finish",
    ]);
    expect(decoder.finish()).toEqual([]);
  });

  test("refuses what is in no form that it knows, and drops nothing of it", () => {
    const calls = (tool_calls: unknown) => ({ message: { tool_calls } });
    const strange: readonly [unknown, string][] = [
      [{ message: "text" }, "a message in a form that is not known"],
      [{ message: ["text"] }, "a message in a form that is not known"],
      [{ message: { content: 5 } }, "text in a form that is not known"],
      [{ message: { content: [{ type: "text", text: "a" }] } }, "text in a form that is not known"],
      [{ message: { thinking: { a: 1 } } }, "thoughts in a form that is not known"],
      [calls("text"), "tool calls in a form that is not known"],
      [calls({ function: { name: "f" } }), "tool calls in a form that is not known"],
      [calls([null]), "a tool call without a name"],
      [calls([{ function: "f" }]), "a tool call without a name"],
      [5, "a line that is no object"],
    ];
    for (const [line, says] of strange) {
      const decoder = decoderOf(false);
      decoder.start();
      expect(() => decoder.add(lines(line))).toThrow(says);
    }
  });

  test("takes null for nothing, and for the reason and the counts only what can be one", () => {
    const decoder = decoderOf(false);
    decoder.start();
    const nothing = [{ message: null }, { message: { content: null, thinking: null, tool_calls: null } }];
    const last = { done_reason: 5, prompt_eval_count: -5, eval_count: "2", load_duration: "7" };
    expect(decoder.add(lines(...nothing, end(last)))).toEqual([
      {
        type: "finish",
        reason: { unified: "other", raw: undefined },
        usage: { inputTokens: undefined, outputTokens: undefined },
        context: { truncated: "unknown" },
        timings: { loadMs: undefined, promptMs: undefined, generationMs: undefined },
      },
    ]);
  });

  test("takes nothing after the last line", () => {
    const decoder = decoderOf(false);
    decoder.start();
    expect(typesOf(decoder.add(lines(end(), piece("ghost"), { error: "late" })))).toEqual(["finish"]);
    expect(decoder.add(lines(piece("ghost")))).toEqual([]);
    expect(decoder.fault?.()).toBeUndefined();
  });

  test("throws at once what comes alone, and keeps what comes behind events", () => {
    const alone = decoderOf(false);
    alone.start();
    expect(() => alone.add(lines({ error: "no" }))).toThrow("no");
    const behind = decoderOf(false);
    behind.start();
    expect(typesOf(behind.add(lines(piece("hi"), { error: "no" })))).toEqual(["text-start", "text-delta"]);
    expect(behind.fault?.()?.message).toContain("no");
    expect(() => behind.finish()).toThrow("no");
  });

  test("ends only with the last line", () => {
    const decoder = decoderOf(false);
    decoder.start();
    decoder.add(lines(piece("hi")));
    expect(() => decoder.finish()).toThrow(/without its last line/);
  });
});

test("the finish of a batch can be told its context anew", () => {
  const decoder = decoderOf(false);
  const told = withContext(decoder.add(lines(piece("hi"), end())), () => ({ window: 9, truncated: "no" }));
  expect(told.at(-1)).toMatchObject({ type: "finish", context: { window: 9, truncated: "no" } });
});

describe("what a model lacks", () => {
  const refusal = (error: string) => readFault(400, JSON.stringify({ error }), { model: "m" });

  test.each([
    ['"m" does not support thinking', "thinking"],
    ["registry.example/library/m:latest does not support tools", "tools"],
    ['think value "low" is not supported for this model', "thinking-level"],
    ['"m" does not support chat', undefined],
    ["the moon is full", undefined],
  ])("is in the words %j: %s", (error, lack) => {
    expect(lackIn(refusal(error))).toBe(lack);
  });

  test("but for a level is the caller's policy", () => {
    expect(mayDoWithout("thinking-level", request)).toBe(true);
    expect(mayDoWithout("tools", request)).toBe(false);
    expect(mayDoWithout("tools", { ...request, unsupported: "warn" })).toBe(true);
  });

  test("a window that is known completes an overflow without figures", () => {
    const bare = refusal("the input length exceeds the context length");
    if (!isOverflow(bare)) throw new Error("it should be an overflow");
    expect(withWindow(bare, undefined)).toBe(bare);
    expect(withWindow(bare, 512)).toMatchObject({
      code: "context-overflow",
      status: 400,
      figures: { window: 512 },
    });
  });
});
