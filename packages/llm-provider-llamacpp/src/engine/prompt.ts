import type { ChatHistoryItem, ChatModelFunctions, ChatWrapper, Token, Tokenizer } from "node-llama-cpp";

/** The tokens of the whole prompt, as `LlamaChat` will make them. */
export function promptTokens(
  wrapper: ChatWrapper,
  tokenizer: Tokenizer,
  chatHistory: readonly ChatHistoryItem[],
  functions: ChatModelFunctions | undefined,
): Token[] {
  const state = wrapper.generateContextState({
    chatHistory,
    ...(functions !== undefined && { availableFunctions: functions }),
    documentFunctionParams: true,
  });
  return state.contextText.tokenize(tokenizer);
}

/** The same template, but the model's turn begins inside a call; `undefined` where the template knows no such state. */
export function callingFirst(wrapper: ChatWrapper): ChatWrapper | undefined {
  const probe = wrapper.generateContextState({ chatHistory: [{ type: "model", response: [] }] });
  if (probe.prefixTriggers !== undefined || probe.noPrefixTrigger !== undefined) return undefined;
  const calling: ChatWrapper = Object.create(wrapper, {
    generateContextState: {
      value(options: Parameters<ChatWrapper["generateContextState"]>[0]) {
        const { contextText, stopGenerationTriggers } = wrapper.generateContextState(options);
        return {
          contextText,
          stopGenerationTriggers,
          functionCall: { initiallyEngaged: true, disengageInitiallyEngaged: [] },
        };
      },
    },
  });
  return calling;
}

/** A model that always thinks has done so already: its turn begins with a thought that is over. */
export function withEmptyThought(history: readonly ChatHistoryItem[]): ChatHistoryItem[] {
  const last = history.at(-1);
  if (last?.type !== "model" || last.response.length > 0) return [...history];
  const thought = { type: "segment", segmentType: "thought", text: "", ended: true } as const;
  return [...history.slice(0, -1), { type: "model", response: [thought] }];
}
