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

type Rendered = ReturnType<ChatWrapper["generateContextState"]>;

/** The same template with another state after it. */
function changed(wrapper: ChatWrapper, change: (rendered: Rendered) => Rendered): ChatWrapper {
  return Object.create(wrapper, {
    generateContextState: {
      value: (options: Parameters<ChatWrapper["generateContextState"]>[0]) =>
        change(wrapper.generateContextState(options)),
    },
  }) as ChatWrapper;
}

/** The model's turn begins inside a call; `undefined` where the template decides about calls by itself. */
export function callingFirst(wrapper: ChatWrapper): ChatWrapper | undefined {
  const probe = wrapper.generateContextState({ chatHistory: [{ type: "model", response: [] }] });
  if (probe.prefixTriggers !== undefined || probe.noPrefixTrigger !== undefined) return undefined;
  const functionCall = { initiallyEngaged: true, disengageInitiallyEngaged: [] };
  return changed(wrapper, ({ contextText, stopGenerationTriggers }) => ({
    contextText,
    stopGenerationTriggers,
    functionCall,
  }));
}

/** The model goes on with a text that is there: a blank at the start of what it adds belongs to it. */
export function continuing(wrapper: ChatWrapper, history: readonly ChatHistoryItem[]): ChatWrapper {
  const last = history.at(-1);
  if (last?.type !== "model" || typeof last.response.at(-1) !== "string") return wrapper;
  return changed(wrapper, (rendered) =>
    rendered.ignoreStartText === undefined ? rendered : { ...rendered, ignoreStartText: [] },
  );
}

/** A model that always thinks has done so already: its turn begins with a thought that is over. */
export function withEmptyThought(history: readonly ChatHistoryItem[]): ChatHistoryItem[] {
  const last = history.at(-1);
  if (last?.type !== "model" || last.response.length > 0) return [...history];
  const thought = { type: "segment", segmentType: "thought", text: "", ended: true } as const;
  return [...history.slice(0, -1), { type: "model", response: [thought] }];
}
