// Compares the exported models with PyTorch: tokens and greedy answers, in node-llama-cpp and in transformers.js.
//
// node check.mjs PROMPTS MODELS [--from FOLDER] [--name reference-model] [--count 20] [--show]
//
// PROMPTS comes from evaluate.py, MODELS is a folder of export.py; what it lacks is left out. FOLDER is where
// node-llama-cpp, transformers.js or both are installed, by default the working directory.
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { enginesIn } from "./engines.mjs";

const LONGEST_ANSWER = 300;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: "string", default: "." },
    name: { type: "string", default: "reference-model" },
    count: { type: "string", default: "20" },
    show: { type: "boolean", default: false },
  },
});
const [promptsFile, folder] = positionals;
if (folder === undefined) throw new Error("usage: node check.mjs PROMPTS MODELS");
const { has, startLlama, startTransformers } = enginesIn(options.from);
const prompts = pick(JSON.parse(readFileSync(promptsFile, "utf8")), Number(options.count));

if (has("node-llama-cpp")) {
  for (const kind of ["f16", "q8_0"]) await checkGguf(path.join(folder, `${options.name}-${kind}.gguf`));
} else console.log("node-llama-cpp is not installed there: GGUF is left out");
if (has("@huggingface/transformers")) {
  for (const dtype of ["fp32", "q8"]) await checkOnnx(`${options.name}-onnx`, dtype);
} else console.log("@huggingface/transformers is not installed there: ONNX is left out");
process.exit(0); // the engines keep threads

async function checkGguf(file) {
  if (!existsSync(file)) return;
  const { llama } = await startLlama();
  const started = performance.now();
  const model = await llama.loadModel({ modelPath: file });
  const loaded = performance.now() - started;
  const sequence = (await model.createContext({ contextSize: 2048 })).getSequence();
  const end = model.tokenize("<|im_end|>", true)[0];
  const tally = newTally();
  for (const prompt of prompts) {
    const ids = model.tokenize(prompt.prompt, true);
    await sequence.clearHistory();
    const began = performance.now();
    const written = [];
    for await (const token of sequence.evaluate(ids, { temperature: 0 })) {
      if (token === end || written.length >= LONGEST_ANSWER) break;
      written.push(token);
    }
    count(
      tally,
      prompt,
      [...ids],
      model.detokenize(written, true),
      written.length,
      performance.now() - began,
    );
  }
  report(`node-llama-cpp ${path.basename(file)}`, statSync(file).size, loaded, tally);
  await model.dispose();
}

async function checkOnnx(name, dtype) {
  const file = path.join(folder, name, "onnx", dtype === "q8" ? "model_quantized.onnx" : "model.onnx");
  if (!existsSync(file)) return;
  const { pipeline } = await startTransformers(folder);
  const started = performance.now();
  const pipe = await pipeline("text-generation", name, {
    dtype,
    device: "cpu",
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  const loaded = performance.now() - started;
  const tally = newTally();
  for (const prompt of prompts) {
    const inputs = pipe.tokenizer(prompt.prompt, { add_special_tokens: false });
    const ids = Array.from(inputs.input_ids.data, Number);
    const began = performance.now();
    const out = await pipe.model.generate({ ...inputs, max_new_tokens: LONGEST_ANSWER, do_sample: false });
    const written = Array.from(out.data, Number).slice(ids.length);
    const text = pipe.tokenizer.decode(written, { skip_special_tokens: true });
    count(tally, prompt, ids, text, written.length, performance.now() - began);
  }
  report(`transformers.js ${dtype}`, statSync(file).size, loaded, tally);
  console.log(`chat template ${isTemplateRight(pipe.tokenizer) ? "right" : "WRONG"}`);
  await pipe.dispose();
}

/** As many prompts as asked for, of all skills in turn. */
function pick(all, wanted) {
  const bySkill = Object.values(Object.groupBy(all, ({ skill }) => skill));
  const rounds = Math.max(...bySkill.map((list) => list.length));
  const inTurn = Array.from({ length: rounds }, (_, round) => bySkill.flatMap((list) => list[round] ?? []));
  return inTurn.flat().slice(0, wanted);
}

function newTally() {
  return { sameTokens: 0, sameAnswer: 0, tokens: 0, ms: 0 };
}

function count(tally, prompt, ids, answer, tokens, ms) {
  tally.tokens += tokens;
  tally.ms += ms;
  if (JSON.stringify(ids) === JSON.stringify(prompt.ids)) tally.sameTokens++;
  // An answer that the evaluation cut short is compared as far as it goes.
  const same = prompt.ended
    ? answer === prompt.torch
    : answer.startsWith(prompt.torch.replace(/\ufffd+$/, ""));
  if (same) tally.sameAnswer++;
  else if (options.show)
    console.log("DIFFERENT", prompt.skill, JSON.stringify({ answer, torch: prompt.torch }));
}

function report(what, bytes, loadMs, { sameTokens, sameAnswer, tokens, ms }) {
  const all = prompts.length;
  const speed = ((tokens / ms) * 1000).toFixed(0);
  console.log(
    `${what}: ${bytes} bytes, loaded in ${loadMs.toFixed(0)} ms, tokens equal ${sameTokens}/${all}, ` +
      `answers equal ${sameAnswer}/${all}, ${speed} tokens/s with the prompt (1 thread)`,
  );
}

function isTemplateRight(tokenizer) {
  const call = { type: "function", function: { name: "f", arguments: { a: 1 } } };
  const tool = { name: "f", description: "d", parameters: { type: "object", properties: {} } };
  const text = tokenizer.apply_chat_template(
    [
      { role: "system", content: "You are a helpful assistant." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "", tool_calls: [call] },
      { role: "tool", content: "2" },
    ],
    { tools: [{ type: "function", function: tool }], add_generation_prompt: true, tokenize: false },
  );
  return (
    text.includes('<tools>\n{"type": "function"') &&
    text.includes('<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>') &&
    text.endsWith("<|im_start|>user\n<tool_response>\n2\n</tool_response><|im_end|>\n<|im_start|>assistant\n")
  );
}
