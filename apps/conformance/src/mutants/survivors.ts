import { type Capability, type CallOptions, type ChatEvent, LlmError } from "@enginehouse/llm-core";

import { encodeChat } from "../reference/encode.ts";
import { PARTS } from "../reference/parts.ts";
import { events, inside, isCode, listOf, mutant, outside, part, sent, textIn } from "./making.ts";
import type { Mutant } from "./mutant.ts";

/** Once more where the error says that it may help. */
const again = async <Value>(call: () => Promise<Value>): Promise<Value> => {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof LlmError) || error.retryable !== true) throw error;
    return call();
  }
};

const other: Readonly<Record<Capability["value"], Capability["value"]>> = {
  yes: "no",
  no: "yes",
  unknown: "unknown",
};

const spaced = { type: "text", text: "\n" } as const;

/** Wrong providers that came through an earlier kit: each is why one of its checks looks more closely. */
export const SURVIVORS: readonly Mutant[] = [
  mutant(
    "M222",
    "takes a piece that is like the one before it for the same",
    events(() => {
      let last = "";
      return (event) => {
        if (event.type !== "text-delta") return [event];
        const same = event.text === last;
        last = event.text;
        return same ? [] : [event];
      };
    }),
    { S12: /26214400 characters were sent and 65536 arrived/, S20: /the events said "10\\n/ },
  ),
  mutant(
    "M223",
    "passes over pieces of white space",
    events(() => (event) => (event.type === "text-delta" && event.text.trim() === "" ? [] : [event])),
    { S20: /the events said "1000hahaa/ },
  ),
  mutant(
    "M224",
    "makes one kind of line end out of all",
    events(() => (event) => [
      event.type === "text-delta" ? { ...event, text: event.text.replaceAll("\r\n", "\n") } : event,
    ]),
    { S20: /the events said "1000\\n/ },
  ),
  mutant(
    "M225",
    "cuts lines wherever a text may have its line ends",
    part({
      createLines() {
        const lines = PARTS.createLines();
        const cut = (whole: readonly string[]): string[] =>
          whole.flatMap((line) => line.split(/[\u2028\u2029\u0085]/)).filter((line) => line !== "");
        return { add: (bytes) => cut(lines.add(bytes)), end: () => cut(lines.end()) };
      },
    }),
    { S20: /the stream failed after .* with invalid-response/, T12: /the chat failed with invalid-response/ },
  ),
  mutant(
    "M226",
    "has one id for all blocks of text",
    events(() => (event) => [
      event.type === "text-start" || event.type === "text-delta" || event.type === "text-end"
        ? { ...event, id: "text" }
        : event,
    ]),
    { S03: /text "text" is opened a second time/ },
  ),
  mutant(
    "M227",
    "hands out the first raw piece only",
    events(() => {
      let told = false;
      return (event) => {
        if (event.type !== "raw") return [event];
        const first = !told;
        told = true;
        return first ? [event] : [];
      };
    }),
    { S15: /8 pieces were sent, and 1 raw events came/ },
  ),
  mutant(
    "M228",
    "ends well when it is interrupted a second time",
    inside(({ stream }) => {
      let faults = 0;
      return {
        async *stream(...given) {
          try {
            yield* stream(...given);
          } catch (error) {
            if (!isCode(error, "stream-interrupted") || ++faults < 2) throw error;
            yield {
              type: "finish",
              reason: { unified: "stop", raw: undefined },
              usage: { inputTokens: undefined, outputTokens: undefined },
              context: { truncated: "unknown" },
            } satisfies ChatEvent;
          }
        },
      };
    }),
    { F22: /expected stream-interrupted after the second body/ },
  ),
  mutant(
    "M229",
    "takes a reader that takes its time for a backend that is silent",
    part({
      createClock(options) {
        const clock = PARTS.createClock(options);
        return {
          signal: clock.signal,
          get fault() {
            return clock.fault;
          },
          connected: () => clock.connected(),
          waiting: () => clock.waiting(),
          arrived() {
            clock.arrived();
            clock.waiting();
          },
          end: () => clock.end(),
        };
      },
    }),
    { F23: /the limit of silence was 300 ms, and after .* the call failed: timeout/ },
  ),
  mutant(
    "M230",
    "lists once more when the list fails",
    inside(({ listModels }) => ({ listModels: (options) => again(() => listModels(options)) })),
    { F15: /asked again: GET \/models, GET \/models/ },
  ),
  mutant(
    "M231",
    "embeds once more when that fails",
    inside(({ embed }) => ({ embed: (...given) => again(() => embed(...given)) })),
    { E11: /answered with status 429, and 2 requests arrived/ },
  ),
  mutant(
    "M232",
    "knows nothing of missing models when it embeds",
    inside(({ embed }) => ({
      async embed(...given) {
        try {
          return await embed(...given);
        } catch (error) {
          if (!isCode(error, "model-not-found")) throw error;
          throw new LlmError("provider-internal", "something went wrong");
        }
      },
    })),
    { E11: /expected model-not-found, seen provider-internal/ },
  ),
  mutant(
    "M233",
    "embeds although the call was aborted before it began",
    outside(({ embed }) => ({
      embed: (request, options: CallOptions = {}) =>
        embed(request, options.signal?.aborted === true ? { ...options, signal: undefined } : options),
    })),
    {
      A09: /expected aborted for an embedding|waited .* for aborted for an embedding|an embedding request arrived/,
    },
  ),
  mutant(
    "M234",
    "leaves the descriptions of tools out",
    sent((body) => ({
      ...body,
      ...(body["tools"] !== undefined && {
        tools: listOf(body["tools"]).map(({ description: _, ...tool }) => tool),
      }),
    })),
    { T01: /the description of get_weather is not in the request/ },
  ),
  mutant(
    "M235",
    "sends of a tool's schema the properties only",
    sent((body) => ({
      ...body,
      ...(body["tools"] !== undefined && {
        tools: listOf(body["tools"]).map((tool) => {
          const { properties = {} } = (tool["schema"] ?? {}) as { properties?: object };
          return { ...tool, schema: { type: "object", properties } } as never;
        }),
      }),
    })),
    { T01: /the schema of get_weather requires "city"/ },
  ),
  mutant(
    "M236",
    "leaves out what the model said beside its calls",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map((message) =>
        message["calls"] === undefined ? message : { ...message, text: "" },
      ),
    })),
    { T09: /text stood beside the calls; the backend saw ""/ },
  ),
  mutant(
    "M237",
    "puts a line end between the parts of what the user said",
    part({
      encodeChat: (request, settings) =>
        encodeChat(
          {
            ...request,
            messages: request.messages.map((message) =>
              message.role === "user" && typeof message.content !== "string"
                ? {
                    ...message,
                    content: message.content.flatMap((one, at) => (at === 0 ? [one] : [spaced, one])),
                  }
                : message,
            ),
          },
          settings,
        ),
    }),
    {
      K09: /the text beside it; the backend saw "What is this\?\\n"/,
      K10: /message 6 \(user\) was "In two parts\."/,
    },
  ),
  mutant(
    "M238",
    "cuts long messages",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map((message) => ({
        ...message,
        text: textIn(message["text"]).slice(0, 16_384),
      })),
    })),
    { K10: /20012 characters; the backend saw .*, 16384/ },
  ),
  mutant(
    "M239",
    "sends one image of each message",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map((message) =>
        message["images"] === undefined
          ? message
          : { ...message, images: listOf(message["images"]).slice(0, 1) },
      ),
    })),
    { K09: /2 image\(s\) were sent with one message; the backend saw 1/ },
  ),
  mutant(
    "M240",
    "lifts what is less than zero to zero",
    sent((body) => ({
      ...body,
      options: Object.fromEntries(
        Object.entries(body["options"] ?? {}).map(([name, value]) => [
          name,
          typeof value === "number" && value < 0 ? 0 : (value as number),
        ]),
      ),
    })),
    { K06: /frequencyPenalty -0.5 reached the backend as 0/ },
  ),
  mutant(
    "M241",
    "keeps the places of calls that were aborted",
    part({
      createPlaces(count) {
        const places = PARTS.createPlaces(count);
        return {
          async enter(signal) {
            const leave = await places.enter(signal);
            return () => {
              if (!signal.aborted) leave();
            };
          },
        };
      },
    }),
    { K07: /a call after 3 that were aborted/ },
  ),
  mutant(
    "M242",
    "is called as its plugin, whatever it was created as",
    outside(() => ({ name: "reference" })),
    {
      K12: /created as kit-second, the provider is called reference/,
    },
  ),
  mutant(
    "M243",
    "calls every prompt truncated",
    part({ contextOf: (usage, window) => ({ ...PARTS.contextOf(usage, window), truncated: "yes" }) }),
    { X02: /4 words went into a window of 2048, and the answer says truncated: yes/ },
  ),
  mutant(
    "M244",
    "counts the texts as one",
    inside(({ countTokens }) => ({
      async countTokens(request, options) {
        const counted = await countTokens(request, options);
        const { perText } = counted;
        return perText === undefined ? counted : { ...counted, perText: perText.map(() => counted.tokens) };
      },
    })),
    { X09: /texts of 5, 40 and 5 words were counted as \[50,50,50\]/ },
  ),
  mutant(
    "M245",
    "knows of tools the opposite of what it was told",
    inside(({ describeModel }) => ({
      async describeModel(...given) {
        const told = await describeModel(...given);
        const { tools } = told.capabilities;
        return {
          ...told,
          capabilities: { ...told.capabilities, tools: { ...tools, value: other[tools.value] } },
        };
      },
    })),
    { L18: /the backend says that kit-chat has tools; told: no/ },
  ),
  mutant(
    "M246",
    "takes any answer for good health",
    inside(({ health }) => ({
      async health(options) {
        const told = await health(options);
        return told.message?.includes("500") === true ? { status: "ok" } : told;
      },
    })),
    { L01: /the backend answers all with status 500/ },
  ),
  mutant(
    "M247",
    "deletes every model with one",
    inside(({ deleteModel, listModels }) => ({
      async deleteModel(model, options) {
        await deleteModel(model, options);
        for (const { id } of await listModels(options)) await deleteModel(id, options);
      },
    })),
    { L23: /only kit-chat was deleted/ },
  ),
  mutant(
    "M248",
    "says nothing of the tokens of its reasoning",
    part({ usageOf: (told, before) => ({ ...PARTS.usageOf(told, before), reasoningTokens: undefined }) }),
    { U09: /20 tokens were reasoning, and reasoningTokens is undefined/ },
  ),
];
