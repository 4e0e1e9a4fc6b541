import type { EventDecoder, SseEvent } from "@enginehouse/llm-wire";
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsStreaming,
} from "openai/resources/chat/completions";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { expectTypeOf, test } from "vitest";

import { createChatDecoder, createResponsesDecoder, type Quirks } from "../src/index.ts";

test("both decoders are what a stream of events is read with", () => {
  expectTypeOf(createChatDecoder).returns.toExtend<EventDecoder<SseEvent>>();
  expectTypeOf(createResponsesDecoder).returns.toExtend<EventDecoder<SseEvent>>();
});

test("the fields and events that are written and read are those of OpenAI's own client", () => {
  expectTypeOf<Quirks["maxTokensField"]>().toExtend<keyof ChatCompletionCreateParamsStreaming>();
  expectTypeOf<"seed" | "stop" | "reasoning_effort" | "stream_options">().toExtend<
    keyof ChatCompletionCreateParamsStreaming
  >();
  expectTypeOf<"content" | "refusal" | "tool_calls">().toExtend<keyof ChatCompletionChunk.Choice.Delta>();
  expectTypeOf<
    | "response.output_text.delta"
    | "response.function_call_arguments.delta"
    | "response.output_item.done"
    | "response.incomplete"
  >().toExtend<ResponseStreamEvent["type"]>();
});
