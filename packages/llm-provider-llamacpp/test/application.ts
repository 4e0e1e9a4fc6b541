import { createLlamacpp } from "../src/index.ts";

// A whole application, for the tests that look at processes: it prints what the model says.
const [, , modelsDir = "", model = "", mode] = process.argv;
const provider = createLlamacpp({ modelsDir, threads: 1, gpu: false });
const maxTokens = mode === "answer" ? 4 : undefined;
for await (const event of provider.stream({
  model,
  messages: [{ role: "user", content: "sing" }],
  maxTokens,
})) {
  if (event.type === "text-delta") process.stdout.write(event.text);
}
