import { getLlama, LlamaLogLevel } from "node-llama-cpp";

// Loads a model as the engine does, fills its window and prints by how many bytes the process has grown.
const [path = "", contextSize = "", sequences = "", kind = ""] = process.argv.slice(2);
const llama = await getLlama({
  gpu: false,
  build: "never",
  skipDownload: true,
  logLevel: LlamaLogLevel.disabled,
  maxThreads: 1,
});
const before = process.memoryUsage.rss();
const model = await llama.loadModel({ modelPath: path });
const window = Math.min(Number(contextSize), model.trainContextSize);
if (kind === "embedding") {
  const context = await model.createEmbeddingContext({ contextSize: window, batchSize: window, threads: 1 });
  await context.getEmbeddingFor("word ".repeat(window - 16));
} else {
  const context = await model.createContext({
    contextSize: window,
    sequences: Number(sequences),
    threads: 1,
  });
  const text = model.tokenize("The quick brown fox jumps over the lazy dog. ".repeat(60)).slice(0, 64);
  for (let count = 0; count < Number(sequences); count++) {
    await context.getSequence().evaluateWithoutGeneratingNewTokens(text);
  }
}
process.stdout.write(String(process.memoryUsage.rss() - before));
process.exit(0); // the engine's own end is not what is measured
