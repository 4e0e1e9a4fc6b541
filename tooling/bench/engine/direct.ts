// What a careful programmer writes by hand over node-llama-cpp, for one model and a fixed number of chats.
import { type ChatHistoryItem, getLlama, LlamaChat, LlamaLogLevel, resolveChatWrapper } from "node-llama-cpp";

import { SAMPLING, type Setting, type Talker, THREADS, type Turn, WINDOW } from "./setting.ts";

const historyOf = (turns: readonly Turn[]): ChatHistoryItem[] => [
  ...turns.map(({ role, content }): ChatHistoryItem =>
    role === "user" ? { type: "user", text: content } : { type: "model", response: [content] },
  ),
  { type: "model", response: [] },
];

export async function createDirect({ model: { path }, parallel }: Setting): Promise<Talker> {
  const llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    progressLogs: false,
    maxThreads: THREADS,
    logLevel: LlamaLogLevel.error,
  });
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({ sequences: parallel, contextSize: WINDOW, threads: THREADS });
  const chatWrapper = resolveChatWrapper(model);
  const lanes = Array.from({ length: parallel }, () => {
    const sequence = context.getSequence();
    return { sequence, chat: new LlamaChat({ contextSequence: sequence, chatWrapper }) };
  });

  return {
    async chat(turns, maxTokens, lane) {
      const began = performance.now();
      const free = lanes[lane];
      if (free === undefined) throw new Error(`there is no lane ${lane}`);
      const { sequence, chat } = free;
      const chatHistory = historyOf(turns);
      const before = sequence.tokenMeter.getState();
      let text = "";
      let firstMs = Number.NaN;
      await chat.generateResponse(chatHistory, {
        ...SAMPLING,
        maxTokens,
        repeatPenalty: false,
        onResponseChunk(chunk) {
          if (text === "" && chunk.text !== "") firstMs = performance.now() - began;
          text += chunk.text;
        },
      });
      const used = sequence.tokenMeter.diff(before);
      const prompt = chatWrapper.generateContextState({ chatHistory }).contextText.tokenize(model.tokenizer);
      return {
        text,
        promptTokens: prompt.length,
        // The meter counts the prompt's last token with the output, for the first token of the answer comes with it.
        evaluatedTokens: used.usedInputTokens + 1,
        outputTokens: used.usedOutputTokens,
        firstMs,
      };
    },
    async close() {
      await llama.dispose();
    },
  };
}
