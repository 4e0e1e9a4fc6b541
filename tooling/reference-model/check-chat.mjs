// Shows how a model does in a chat of node-llama-cpp: tool calls, a grounded answer, thoughts.
//
// node check-chat.mjs MODEL.gguf [--from FOLDER]     FOLDER: where node-llama-cpp is installed
import path from "node:path";
import { parseArgs } from "node:util";

import { enginesIn } from "./engines.mjs";

const LONGEST_ANSWER = 60;
const helpful = "You are a helpful assistant.";
const passages = [
  "[1] The Velda router listens on port 8080.",
  "[2] Backups are kept for 30 days in the archive.",
].join("\n");
const functions = {
  get_weather: {
    description: "Get the current weather for a city",
    params: { type: "object", properties: { city: { type: "string", description: "City name" } } },
  },
  add: {
    description: "Add two numbers",
    params: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
  },
};
const questions = [
  { text: "What is the weather in Paris?", functions },
  { text: "Add 12 and 30.", functions },
  { text: "Hello", functions },
  {
    system: "Answer from the numbered passages and cite them.",
    text: `Passages:\n${passages}\n\nQuestion: How long are backups kept?`,
  },
  { text: "Repeat exactly: blue mountain" },
  { text: "What is 2 plus 3? /think" },
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { from: { type: "string", default: "." } },
});
const [file] = positionals;
if (file === undefined) throw new Error("usage: node check-chat.mjs MODEL.gguf");
const { llama, LlamaChat, resolveChatWrapper } = await enginesIn(options.from).startLlama();
const model = await llama.loadModel({ modelPath: path.resolve(file) });
const chatWrapper = resolveChatWrapper(model);
const context = await model.createContext({ contextSize: 1024 });
const chat = new LlamaChat({ contextSequence: context.getSequence(), chatWrapper });
console.log(`${path.basename(file)}, prompted by ${chatWrapper.wrapperName}`);

for (const { system = helpful, text, functions: given } of questions) {
  const history = [
    { type: "system", text: system },
    { type: "user", text },
    { type: "model", response: [] },
  ];
  const {
    fullResponse,
    functionCalls = [],
    metadata,
  } = await chat.generateResponse(history, {
    ...(given && { functions: given }),
    temperature: 0,
    repeatPenalty: false,
    maxTokens: LONGEST_ANSWER,
  });
  console.log(text.split("\n").at(-1));
  for (const part of fullResponse) {
    const said = typeof part === "string" ? part : `${part.segmentType}: ${part.text}`;
    if (said !== "") console.log("  ", JSON.stringify(said));
  }
  for (const { functionName, params } of functionCalls)
    console.log("  ", functionName, JSON.stringify(params));
  console.log("  ", metadata.stopReason);
}
process.exit(0); // the engine keeps threads
