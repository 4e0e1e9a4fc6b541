import type { ChatEvent, JsonObject, ToolCallEvent } from "@enginehouse/llm-core";

import { PARTS } from "../reference/parts.ts";
import { events, lines, listOf, mutant, outside, part, sent, textIn } from "./making.ts";
import type { Mutant } from "./mutant.ts";

const isToolEvent = ({ type }: ChatEvent): boolean => type.startsWith("tool-");

export const TOOL_MUTANTS: readonly Mutant[] = [
  mutant("M15", "takes the backend's ids of calls as they are", part({ idOf: (told) => told ?? "" }), {
    T03: /ids must be texts, not empty, each once/,
  }),
  mutant(
    "M16",
    "takes a call for whole as soon as its arguments parse",
    lines(() => {
      const texts = new Map<number, string>();
      const whole = new Set<number>();
      return (line) => {
        if (line.type !== "call") return [line];
        const { index = 0, input = "" } = line;
        if (whole.has(index)) return [];
        const text = (texts.get(index) ?? "") + input;
        texts.set(index, text);
        if (parses(text)) whole.add(index);
        return [line];
      };
    }),
    { T05: /came in 7 pieces; seen \["1"\]/ },
  ),
  mutant(
    "M17",
    "takes arguments that are no JSON for none",
    part({
      callOf(id, name, inputText) {
        const call = PARTS.callOf(id, name, inputText);
        return call.inputError === undefined ? call : { type: "tool-call", id, name, inputText, input: {} };
      },
    }),
    { T06: /input was made up/ },
  ),
  mutant(
    "M34",
    "declares tools and sends none",
    sent(({ tools: _, toolChoice: __, ...body }) => body),
    {
      K08: /tools is declared;/,
      T01: /two tools were given; the backend saw \[\]/,
      T11: /three tools were given; the backend saw \[\]/,
      T13: /toolChoice "required": the backend saw "none"/,
    },
  ),
  mutant(
    "M48",
    "sends the tools with the choice none",
    outside(({ stream }) => ({
      stream: (request, options) =>
        stream(request.toolChoice === "none" ? { ...request, toolChoice: "auto" } : request, options),
    })),
    { T10: /toolChoice was none; the backend saw the tools/ },
  ),
  mutant(
    "M111",
    "keeps one call for each tool",
    events(() => {
      const names = new Set<string>();
      const gone = new Set<string>();
      return (event) => {
        if (event.type === "tool-input-start") {
          if (names.has(event.name)) gone.add(event.id);
          names.add(event.name);
        }
        return isToolEvent(event) && gone.has((event as ToolCallEvent).id) ? [] : [event];
      };
    }),
    {
      T02: /the calls: the backend sent/,
      T03: /backend ids null: the backend sent/,
      T04: /the calls: the backend sent/,
      T15: /seen 1 tool-input-start/,
    },
  ),
  mutant(
    "M112",
    "gives a fragment to the call that began last",
    lines(() => {
      let last = 0;
      return (line) => {
        if (line.type !== "call") return [line];
        if (line.name !== undefined) last = line.index ?? 0;
        return [{ ...line, index: last }];
      };
    }),
    { T04: /the calls: the backend sent/ },
  ),
  mutant(
    "M113",
    "takes a call without arguments for one that is broken",
    part({
      callOf(id, name, inputText) {
        const call = PARTS.callOf(id, name, inputText);
        return inputText === ""
          ? { type: "tool-call", id, name, inputText, inputError: "no arguments" }
          : call;
      },
    }),
    { T07: /with an empty text for arguments/ },
  ),
  mutant(
    "M114",
    "hands out calls after all text",
    events(() => {
      const held: ChatEvent[] = [];
      return (event) => {
        if (isToolEvent(event)) held.push(event);
        else return event.type === "finish" ? [...held, event] : [event];
        return [];
      };
    }),
    { T08: /the backend sent text, call, text/ },
  ),
  mutant(
    "M115",
    "sends results without the call that they answer",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map(({ id: _, name: __, ...message }) => message),
    })),
    { T09: /result 0 must name its call/ },
  ),
  mutant(
    "M116",
    "sends a failed result like a good one",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map(({ failed: _, ...message }) => message),
    })),
    { T09: /isError: true made no difference/ },
  ),
  mutant(
    "M117",
    "writes tool names without dots, and does not map them back",
    sent((body) => withTools(body, (tool) => ({ ...tool, name: textIn(tool["name"]).replaceAll(".", "-") }))),
    { T11: /the model called \["files-read"/ },
  ),
  mutant(
    "M118",
    "keeps ASCII only of a call's arguments",
    part({
      callOf: (id, name, inputText) => PARTS.callOf(id, name, inputText.replaceAll(/[^\0-\x7f]/gu, "?")),
    }),
    { T12: /Z\?rich/ },
  ),
  mutant(
    "M119",
    "leaves the tool choice out",
    sent(({ toolChoice: _, ...body }) => body),
    { T13: /toolChoice "required": the backend saw "none"/ },
  ),
  mutant(
    "M120",
    "swallows calls of tools that were not offered",
    events(({ tools = [] }) => {
      const gone = new Set<string>();
      return (event) => {
        if (event.type === "tool-input-start" && !tools.some(({ name }) => name === event.name))
          gone.add(event.id);
        return isToolEvent(event) && gone.has((event as ToolCallEvent).id) ? [] : [event];
      };
    }),
    { T14: /the model called get_horoscope; seen \[\]/ },
  ),
  mutant(
    "M121",
    "tells the pieces of arguments under another id than the call",
    events(
      () => (event) =>
        event.type === "tool-input-start" ||
        event.type === "tool-input-delta" ||
        event.type === "tool-input-end"
          ? [{ ...event, id: `input-of-${event.id}` }]
          : [event],
    ),
    { T15: /of a call are tool-call$/ },
  ),
];

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const withTools = (body: JsonObject, change: (tool: JsonObject) => JsonObject): JsonObject =>
  body["tools"] === undefined ? body : { ...body, tools: listOf(body["tools"]).map(change) };
