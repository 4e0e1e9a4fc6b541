import assert from "node:assert/strict";

import type {
  ChatRequest,
  ChatResponse,
  JsonObject,
  ToolCallEvent,
  ToolDefinition,
} from "@enginehouse/llm-core";
import { isLlmError } from "@enginehouse/llm-core";

import type { Bench, Check, Needs, Stand } from "../check.ts";
import type { CallScript, ChatScript } from "../scenario.ts";
import {
  answer,
  brief,
  chatsOf,
  eventsOf,
  fail,
  inShort,
  lastAsked,
  outcome,
  user,
  warnsOf,
  watched,
} from "./reading.ts";

const WEATHER: ToolDefinition = {
  name: "get_weather",
  description: "The weather of a city.",
  inputSchema: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
  },
};
const CLOCK: ToolDefinition = { name: "get_time", description: "The time of day." };
const tools = [WEATHER, CLOCK];
const OSLO = { name: "get_weather", input: { city: "Oslo" } };
const LIMA = { name: "get_weather", input: { city: "Lima" } };

const needs = (...wire: NonNullable<Needs["wire"]>): Needs => ({
  operations: ["chat"],
  features: ["tools"],
  wire: ["calls", ...wire],
});

export const TOOL_CHECKS: readonly Check[] = [
  {
    id: "T01",
    group: "T",
    promise:
      "A tool reaches the backend with its name, description and schema, and the model's call of it comes back whole.",
    why: "This is all that an agent is built on.",
    fix: "Send `tools` in the words of the backend; yield one `tool-call` for each call, with the parsed input.",
    needs: needs(),
    async run(bench) {
      const { stand, response } = await called(bench, [OSLO]);
      assertInputs(response, [{ city: "Oslo" }]);
      assert.equal(response.toolCalls[0]?.name, "get_weather", `the call's name; seen ${inShort(response)}`);
      assert.equal(
        response.finishReason.unified,
        "tool-calls",
        `an answer with a call must finish with tool-calls; seen ${brief(response.finishReason)}`,
      );
      if (!watched(bench)) return;
      const sent = lastAsked(stand.backend).tools ?? [];
      assert.deepEqual(
        sent.map(({ name }) => name),
        ["get_weather", "get_time"],
        `two tools were given; the backend saw ${brief(sent.map(({ name }) => name))}`,
      );
      const schema = sent[0]?.schema as
        | { properties?: { city?: { type?: unknown } }; required?: readonly unknown[] }
        | undefined;
      assert.equal(
        schema?.properties?.city?.type,
        "string",
        `the schema of get_weather has a text "city"; the backend saw ${brief(sent[0]?.schema)}`,
      );
      assert.ok(
        schema.required?.includes("city") === true,
        `the schema of get_weather requires "city"; the backend saw ${brief(sent[0]?.schema)}`,
      );
      const body = JSON.stringify(chatsOf(stand.backend)[0]?.body);
      assert.ok(
        body.includes("The weather of a city."),
        "the description of get_weather is not in the request: by it the model chooses",
      );
    },
  },
  {
    id: "T02",
    group: "T",
    promise: "Calls of one answer come in their order, each with an id of its own.",
    why: "Two results under one id: the model takes the weather of Oslo for that of Lima.",
    fix: "Keep one record for each call, by the backend's index; yield a `tool-call` for each.",
    needs: needs(),
    async run(bench) {
      const { response } = await called(bench, [OSLO, LIMA, { name: "get_time" }]);
      assertInputs(response, [{ city: "Oslo" }, { city: "Lima" }, {}]);
      assertIds(response.toolCalls);
    },
  },
  {
    id: "T03",
    group: "T",
    promise:
      "Every call has an id that is not empty and is its own, also where the backend gives none, an empty one, or one twice.",
    why: "Servers leave ids out or repeat them; results are matched by id.",
    fix: "Make an id where the backend's is missing, blank or taken within the answer; use it in all events of the call.",
    needs: needs("call-ids"),
    async run(bench) {
      const broken: readonly (readonly [string, readonly CallScript[]])[] = [
        [
          "null",
          [
            { ...OSLO, id: null },
            { ...LIMA, id: null },
          ],
        ],
        [
          "empty",
          [
            { ...OSLO, id: "" },
            { ...LIMA, id: "" },
          ],
        ],
        [
          "missing",
          [
            { ...OSLO, idAbsent: true },
            { ...LIMA, idAbsent: true },
          ],
        ],
        [
          "one twice",
          [
            { ...OSLO, id: "call_1" },
            { ...LIMA, id: "call_1" },
          ],
        ],
      ];
      for (const [which, scripts] of broken) {
        const { response } = await called(bench, scripts);
        assertInputs(response, [{ city: "Oslo" }, { city: "Lima" }], `backend ids ${which}`);
        assertIds(response.toolCalls, `backend ids ${which}`);
      }
    },
  },
  {
    id: "T04",
    group: "T",
    promise: "Fragments of several calls that come in turns are put together call by call.",
    why: "Put together in the order of arrival, two good calls become one that nobody can read.",
    fix: "Append a fragment to the call that its index (or id) names, not to the last one.",
    needs: needs("call-fragments"),
    async run(bench) {
      const interleaved = [
        { ...OSLO, pieces: 4 },
        { ...LIMA, pieces: 4 },
      ];
      const { response } = await called(bench, [], { steps: [{ interleaved }] });
      assertInputs(response, [{ city: "Oslo" }, { city: "Lima" }]);
    },
  },
  {
    id: "T05",
    group: "T",
    promise: "A call is whole when the backend says so, not when its arguments first parse.",
    why: "The beginning of a number is a number: 1 in place of 1234567.",
    fix: "Yield `tool-call` when the call, or the answer, ends; never because the text so far is JSON.",
    needs: needs("call-fragments", "call-text"),
    async run(bench) {
      for (const input of ["1234567", '{"city":"Oslo"} ']) {
        const { response } = await called(bench, [{ name: "get_weather", input, pieces: input.length }]);
        const texts = response.toolCalls.map(({ inputText }) => inputText);
        assert.deepEqual(
          texts,
          [input],
          `${brief(input)} came in ${input.length} pieces; seen ${brief(texts)}`,
        );
      }
    },
  },
  {
    id: "T06",
    group: "T",
    promise: "Arguments that are no JSON are kept as text, with `inputError`, and are never guessed.",
    why: "With `{}` in place of broken arguments a tool runs that nobody asked for like that.",
    fix: "Catch the parser's error into `inputError`, leave `input` out, keep `inputText` as it came.",
    needs: needs("call-text"),
    async run(bench) {
      const input = '{"city": "Os';
      const { response } = await called(bench, [{ name: "get_weather", input, pieces: 3 }]);
      const [call] = response.toolCalls;
      const seen = `the backend sent ${brief(input)}; seen ${brief(call ?? "no call")}`;
      assert.equal(response.toolCalls.length, 1, seen);
      assert.equal(call?.inputText, input, `inputText is not what came: ${seen}`);
      assert.equal(call.input, undefined, `input was made up: ${seen}`);
      assert.ok((call.inputError ?? "").length > 0, `no inputError: ${seen}`);
    },
  },
  {
    id: "T07",
    group: "T",
    promise: "A call without arguments has the input `{}`.",
    why: "An application that reads a field of `undefined` fails where the model did nothing wrong.",
    fix: "Take no text at all for `{}`; anything else is parsed.",
    needs: needs(),
    async run(bench) {
      const { response } = await called(bench, [{ name: "get_time" }]);
      assertInputs(response, [{}]);
      if (bench.subject.backend.cannot["call-text"] !== undefined) return;
      const empty = await called(bench, [{ name: "get_time", input: "" }]);
      assertInputs(empty.response, [{}], "with an empty text for arguments");
    },
  },
  {
    id: "T08",
    group: "T",
    promise: "Text before and after a call stays before and after it.",
    why: "The message goes back with the next request: in another order the model reads something it never said.",
    fix: "End the text block before a call begins, and begin a new one after it.",
    needs: needs("call-anything"),
    async run(bench) {
      const steps = [{ text: "Let me look. " }, { call: OSLO }, { text: "That was it." }];
      const { response } = await called(bench, [], { steps });
      const { content } = response.message;
      const seen = typeof content === "string" ? content : content.map(partText);
      assert.deepEqual(
        seen,
        ["Let me look. ", "call get_weather", "That was it."],
        `the backend sent text, call, text; the answer has ${brief(seen)}`,
      );
    },
  },
  {
    id: "T09",
    group: "T",
    promise:
      "Calls and their results go back to the backend, matched, and a failed one can be told from a good one.",
    why: "A result under the wrong call, or an error that looks like a result, and the model reasons from what is false.",
    fix: "Send the id (or name) that the backend matches by; where it has no flag for errors, say it in the text.",
    needs: needs("sockets"),
    async run(bench) {
      const stand = await bench.start();
      await answer(stand, { messages: withResults(false), tools });
      const { messages = [] } = lastAsked(stand.backend);
      const asked = messages.flatMap(({ calls: made = [] }) => made);
      assert.deepEqual(
        asked.map(({ name, input }) => ({ name, input: parsed(input) })),
        [OSLO, LIMA],
        `the calls of the conversation; the backend saw ${brief(asked)}`,
      );
      const beside = messages.find(({ calls: made = [] }) => made.length > 0)?.text;
      assert.equal(
        beside,
        "I look.",
        `text stood beside the calls; the backend saw ${brief(beside ?? "none")}`,
      );
      const results = messages.filter(({ role }) => role === "tool");
      const seen = brief(results.map(({ text, answers }) => ({ text, answers })));
      assert.equal(results.length, 2, `two results were sent; the backend saw ${seen}`);
      for (const [index, figure] of ["7", "21"].entries()) {
        const { text = "", answers } = results[index] ?? {};
        assert.ok(text.includes(figure), `result ${index} must hold ${figure}; the backend saw ${seen}`);
        const matches =
          answers?.id === undefined ? answers?.name === "get_weather" : answers.id === asked[index]?.id;
        assert.ok(
          matches,
          `result ${index} must name its call; the calls: ${brief(asked)}, the results: ${seen}`,
        );
      }
      await answer(stand, { messages: withResults(true), tools });
      const [good, bad] = chatsOf(stand.backend).map(({ body }) => JSON.stringify(body));
      assert.notEqual(bad, good, "isError: true made no difference to what the backend was sent");
    },
  },
  {
    id: "T10",
    group: "T",
    promise: "With the tool choice none the backend sees no tools.",
    why: "Real servers ignore `none`, or let the call through as text.",
    fix: "Leave the tools out of the request; the core's `defineProvider` does so.",
    needs: needs("sockets"),
    async run(bench) {
      const stand = await bench.start();
      await answer(stand, { tools, toolChoice: "none" });
      const { tools: sent = [] } = lastAsked(stand.backend);
      assert.equal(
        sent.length,
        0,
        `toolChoice was none; the backend saw the tools ${brief(sent.map(({ name }) => name))}`,
      );
    },
  },
  {
    id: "T11",
    group: "T",
    promise:
      "Tools with dots or 64 letters in their names work, and their calls come back under the names that were given.",
    why: "Backends take fewer characters than protocols for tools allow, and two names must not become one.",
    fix: "Map a name that the backend would refuse to one that it takes, keep the two apart, and map calls back.",
    needs: needs("sockets"),
    async run(bench) {
      const names = ["files.read", "files_read", `long_${"x".repeat(59)}`];
      const odd = names.map((name): ToolDefinition => ({ ...WEATHER, name }));
      const first = await bench.start();
      await answer(first, { tools: odd });
      const sent = (lastAsked(first.backend).tools ?? []).map(({ name }) => name);
      assert.equal(new Set(sent).size, 3, `three tools were given; the backend saw ${brief(sent)}`);
      const { response } = await called(
        bench,
        sent.map((name) => ({ name, input: { city: "Oslo" } })),
        {},
        { tools: odd },
      );
      const seen = response.toolCalls.map(({ name }) => name);
      assert.deepEqual(seen, names, `the model called ${brief(sent)}; seen ${brief(seen)}`);
    },
  },
  {
    id: "T12",
    group: "T",
    promise: "Arguments keep every character of every script.",
    why: "Most cities are not spelt in ASCII.",
    fix: "Decode the bytes of a stream in one decoder for all of it, and parse escapes with JSON.parse only.",
    needs: needs("unicode"),
    async run(bench) {
      const input = { city: "Zürich · 東京 · Ελλάδα", note: 'quote " and \\ and 🗼 and \u2028' };
      const properties = { city: { type: "string" }, note: { type: "string" } };
      const noted = { ...WEATHER, inputSchema: { type: "object", properties, required: ["city", "note"] } };
      const call = { name: "get_weather", input, pieces: 7 };
      const { response } = await called(bench, [call], {}, { tools: [noted] });
      assertInputs(response, [input]);
    },
  },
  {
    id: "T13",
    group: "T",
    promise: "The tool choices required and by name reach the backend, or are refused or warned of.",
    why: "An application that forces a call has no use for a friendly text.",
    fix: 'Send the choice where the backend has a field for it; else throw `unsupported`, or warn with `option: "toolChoice"` where that is the policy.',
    needs: needs("sockets"),
    async run(bench) {
      const stand = await bench.start({ chats: [{ steps: [{ call: OSLO }] }] });
      for (const toolChoice of ["required", { name: "get_weather" }] as const) {
        await assertChoiceHeeded(stand, toolChoice);
      }
    },
  },
  {
    id: "T14",
    group: "T",
    promise: "A call of a tool that was never offered is passed on like any other.",
    why: "Models invent tools. Who is told can answer with an error; who is not waits for an answer that was swallowed.",
    fix: "Do not filter calls by the tools of the request; only map back the names that were mapped.",
    needs: needs("call-anything"),
    async run(bench) {
      const { response } = await called(bench, [{ name: "get_horoscope", input: { sign: "Leo" } }]);
      const names = response.toolCalls.map(({ name }) => name);
      assert.deepEqual(names, ["get_horoscope"], `the model called get_horoscope; seen ${brief(names)}`);
    },
  },
  {
    id: "T15",
    group: "T",
    promise:
      "The pieces of a call's arguments come under the id of the call, between its start and its end, before the call itself.",
    why: "Whoever shows arguments as they grow has nothing but the id to put them in the right place.",
    fix: "Give a call its id before the first `tool-input-start`, and keep it, whatever the backend sends later.",
    needs: needs(),
    async run(bench) {
      const stand = await bench.start({
        chats: [{ steps: [{ call: { ...OSLO, pieces: 3 } }, { call: LIMA }] }],
      });
      const events = await eventsOf(stand, { tools });
      for (const call of events.filter((event) => event.type === "tool-call")) {
        const own = events.filter((event) => "id" in event && event.id === call.id).map(({ type }) => type);
        const whole = own.filter((type) => type !== "tool-input-delta");
        assert.deepEqual(
          whole,
          ["tool-input-start", "tool-input-end", "tool-call"],
          `the events with the id ${brief(call.id)} of a call are ${own.join(", ")}`,
        );
      }
      const starts = events.filter(({ type }) => type === "tool-input-start").length;
      assert.equal(starts, 2, `two calls came; seen ${starts} tool-input-start`);
    },
  },
];

/** An answer that makes these calls. */
async function called(
  bench: Bench,
  scripts: readonly CallScript[],
  script: ChatScript = {},
  wish: Partial<ChatRequest> = {},
): Promise<{ stand: Stand; response: ChatResponse }> {
  const steps = scripts.map((call) => ({ call }));
  const stand = await bench.start({ chats: [{ steps, ...script }] });
  return { stand, response: await answer(stand, { tools, ...wish }) };
}

function assertInputs({ toolCalls }: ChatResponse, inputs: readonly JsonObject[], when = "the calls"): void {
  const seen = toolCalls.map(({ input, inputText }) => input ?? inputText);
  assert.deepEqual(seen, inputs, `${when}: the backend sent ${brief(inputs)}; seen ${brief(seen)}`);
}

function assertIds(made: readonly ToolCallEvent[], when = "the calls"): void {
  const ids: readonly unknown[] = made.map(({ id }) => id);
  const good = ids.every((id) => typeof id === "string" && id.trim() !== "");
  assert.ok(
    good && new Set(ids).size === ids.length,
    `${when}: ids must be texts, not empty, each once; seen ${brief(ids)}`,
  );
}

async function assertChoiceHeeded(
  stand: Stand,
  toolChoice: "required" | { readonly name: string },
): Promise<void> {
  const before = chatsOf(stand.backend).length;
  const strict = await outcome(stand, { tools, toolChoice });
  if (isLlmError(strict)) {
    assert.equal(
      strict.code,
      "unsupported",
      `toolChoice ${brief(toolChoice)}: seen ${strict.code}: ${strict.message}`,
    );
    assert.equal(chatsOf(stand.backend).length, before, "unsupported came after the request had been sent");
    const lenient = await answer(stand, { tools, toolChoice, unsupported: "warn" });
    assert.ok(
      warnsOf(lenient, "toolChoice"),
      `toolChoice was left out, and the warnings are ${brief(lenient.warnings)}`,
    );
    return;
  }
  const { toolChoice: seen } = lastAsked(stand.backend);
  assert.deepEqual(
    seen,
    toolChoice,
    `toolChoice ${brief(toolChoice)}: the backend saw ${brief(seen ?? "none")}, and no error came; ${inShort(strict)}`,
  );
}

function withResults(isError: boolean): ChatRequest["messages"] {
  return [
    user("How warm is it in Oslo and in Lima?"),
    {
      role: "assistant",
      content: [
        { type: "text", text: "I look." },
        { type: "tool-call", id: "first", ...OSLO },
        { type: "tool-call", id: "second", ...LIMA },
      ],
    },
    {
      role: "tool",
      content: [
        { type: "tool-result", id: "first", name: "get_weather", output: { celsius: 7 } },
        { type: "tool-result", id: "second", name: "get_weather", output: { celsius: 21 }, isError },
      ],
    },
  ];
}

function partText(part: { readonly type: string; readonly text?: string; readonly name?: string }): string {
  return part.type === "tool-call" ? `call ${part.name}` : (part.text ?? part.type);
}

function parsed(input: unknown): unknown {
  if (typeof input !== "string") return input;
  try {
    return JSON.parse(input);
  } catch {
    return fail(`the input of a call in the conversation went to the backend as ${brief(input)}`);
  }
}
