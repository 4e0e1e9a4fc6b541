import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createOnnxGraph, type OnnxGraph, type OnnxValue } from "./onnx-file.ts";
import { compileScript, type Program } from "./script.ts";
import type { ScriptedModelOptions } from "./scripted-gguf.ts";
import { CHAT_TEMPLATE } from "./template.ts";
import { tokenizerJson } from "./tokenizer-json.ts";
import { END_OF_TEXT, TURN_END } from "./vocabulary.ts";

/** Writes a folder for transformers.js (`text-generation`) that answers as the script says. */
export function writeScriptedOnnx(folder: string, options: ScriptedModelOptions): void {
  const { script, contextWindow = 2048, template = CHAT_TEMPLATE, padding = {} } = options;
  const program = compileScript(script);
  const { vocabulary, marks } = program;
  const start = vocabulary.idOf(END_OF_TEXT);
  const ids = { bos_token_id: start, eos_token_id: marks.end, pad_token_id: start };

  mkdirSync(join(folder, "onnx"), { recursive: true });
  writeGraph(join(folder, "onnx", "model.onnx"), program, padding);
  const write = (name: string, content: unknown) =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  write("tokenizer.json", tokenizerJson(vocabulary));
  write("tokenizer_config.json", {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: END_OF_TEXT,
    eos_token: TURN_END,
    pad_token: END_OF_TEXT,
    model_max_length: contextWindow,
    clean_up_tokenization_spaces: false,
    chat_template: template,
  });
  write("config.json", {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    hidden_size: 1,
    intermediate_size: 1,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    num_key_value_heads: 1,
    head_dim: 1,
    vocab_size: vocabulary.tokens.length,
    max_position_embeddings: contextWindow,
    ...ids,
  });
  write("generation_config.json", { ...ids, do_sample: false });
}

/** Leaves room for the number of a rule or a call below a position: both fit into a float exactly. */
const RULE_ROOM = 64;
/** The logit of the next token; all others have 0. */
const CERTAIN = 40;

/**
 * The program as a graph. The "cache of keys" keeps the ids of the tokens before, so the graph looks for the last marks
 * in the plain text of the conversation; then a table says what follows the last token.
 */
function writeGraph(path: string, program: Program, padding: { width?: number; layers?: number }): void {
  const { vocabulary, marks, ruleCount, calls, steps } = program;
  const callCount = calls.size + 1;
  const size = vocabulary.tokens.length;
  const graph = createOnnxGraph();
  const { node } = graph;
  const number = (value: number) => graph.constant({ shape: [], data: Float32Array.of(value) });
  const integer = (value: number) => graph.constant({ shape: [], data: BigInt64Array.of(BigInt(value)) });
  const axes = (...list: number[]) =>
    graph.constant({ shape: [list.length], data: BigInt64Array.from(list, BigInt) });
  /** For each token of the conversation, what this says of its id. */
  const lookUp = (say: (id: number) => number) => {
    const data = Float32Array.from({ length: size }, (_, id) => say(id));
    return node("Gather", [graph.constant({ shape: [size], data }), ids], { attributes: { axis: 0 } });
  };
  const is = (mark: number) => lookUp((id) => Number(id === mark));

  const current = node("Unsqueeze", [node("Cast", ["input_ids"], { attributes: { to: 1 } }), axes(1, 3)]);
  const cache = (name: string) =>
    node("Concat", [`past_key_values.0.${name}`, current], {
      attributes: { axis: 2 },
      output: `present.0.${name}`,
    });
  const kept = cache("key");
  cache("value");
  const ids = node("Cast", [node("Squeeze", [kept, axes(1, 3)])], { attributes: { to: 7 } });

  const length = node("Gather", [node("Shape", [ids]), integer(1)], { attributes: { axis: 0 } });
  const counted = node("Range", [integer(0), length, integer(1)]);
  const position = node("Add", [node("Cast", [counted], { attributes: { to: 1 } }), number(1)]);
  const upToHere = node(
    "Cast",
    [node("LessOrEqual", [node("Unsqueeze", [position, axes(0)]), node("Unsqueeze", [position, axes(1)])])],
    { attributes: { to: 1 } },
  );
  /** For each place, the largest of these values up to it. */
  const lastUpToHere = (values: string) =>
    node("ReduceMax", [node("Mul", [node("Unsqueeze", [values, axes(1)]), upToHere])], {
      attributes: { axes: [2], keepdims: 0 },
    });
  const placeOf = (mark: string) => lastUpToHere(node("Mul", [mark, position]));
  const asNumber = (condition: string) => node("Cast", [condition], { attributes: { to: 1 } });
  /** What a number says below the position that it was written beside. */
  const below = (value: string, room: number) =>
    node("Mod", [value, number(room)], { attributes: { fmod: 1 } });
  const beside = (value: string, room: number) => node("Add", [node("Mul", [position, number(room)]), value]);

  const assistant = is(marks.assistant);
  const user = placeOf(is(marks.user));
  const others = node("Max", [placeOf(assistant), placeOf(is(marks.system))]);
  const inUserTurn = asNumber(node("Greater", [user, others]));
  const cue = node("Mul", [lookUp((id) => Number(program.ruleOfCue(id) !== undefined)), inUserTurn]);
  const rule = lookUp((id) => program.ruleOfCue(id) ?? 0);
  const lastCue = lastUpToHere(node("Mul", [cue, beside(rule, RULE_ROOM)]));
  const cueIsNew = asNumber(node("Greater", [lastCue, node("Mul", [user, number(RULE_ROOM)])]));
  const asked = node("Mul", [below(lastCue, RULE_ROOM), cueIsNew]);
  const answered = asNumber(node("Greater", [placeOf(is(marks.result)), user]));
  const fresh = node("Sub", [number(1), answered]);

  const last = (values: string) => node("ReduceMax", [values], { attributes: { axes: [1], keepdims: 1 } });
  const exchange = last(node("Mul", [node("Mul", [assistant, fresh]), beside(asked, RULE_ROOM)]));
  const turn = last(node("Mul", [assistant, beside(answered, 2)]));
  const isCall = lookUp((id) => Number(id === marks.assistant || calls.has(id)));
  const called = last(
    node("Mul", [
      isCall,
      beside(
        lookUp((id) => calls.get(id) ?? 0),
        RULE_ROOM,
      ),
    ]),
  );
  const answer = node("Add", [node("Mul", [below(exchange, RULE_ROOM), number(2)]), below(turn, 2)]);
  const state = node("Add", [node("Mul", [answer, number(callCount)]), below(called, RULE_ROOM)]);

  const table = new BigInt64Array(2 * ruleCount * callCount * size).fill(BigInt(marks.end));
  for (const step of steps) {
    const replied = 2 * step.rule + (step.phase === "fresh" ? 0 : 1);
    table[(replied * callCount + step.call) * size + step.from] = BigInt(step.to);
  }
  const row = node("Mul", [node("Cast", [state], { attributes: { to: 7 } }), integer(size)]);
  const next = node(
    "Gather",
    [graph.constant({ shape: [table.length], data: table }), node("Add", [row, "input_ids"])],
    { attributes: { axis: 0 } },
  );
  const values = graph.constant({ shape: [2], data: Float32Array.of(0, CERTAIN) });
  const certain = node("OneHot", [next, integer(size), values], { attributes: { axis: -1 } });
  node("Add", [certain, idleWork(graph, position, padding)], { output: "logits" });

  const cached = (name: string, tokens: string): OnnxValue => ({
    name,
    type: "float",
    shape: ["batch", 1, tokens, 1],
  });
  const integers = (name: string, tokens: string): OnnxValue => ({
    name,
    type: "integer",
    shape: ["batch", tokens],
  });
  graph.write(
    path,
    [
      integers("input_ids", "sequence"),
      integers("attention_mask", "total"),
      integers("position_ids", "sequence"),
      cached("past_key_values.0.key", "past"),
      cached("past_key_values.0.value", "past"),
    ],
    [
      { name: "logits", type: "float", shape: ["batch", "sequence", size] },
      cached("present.0.key", "total"),
      cached("present.0.value", "total"),
    ],
  );
}

/** Products of zero matrices that cannot be worked out beforehand, as they begin with something of the input. */
function idleWork(
  { node, constant }: OnnxGraph,
  input: string,
  { width = 1, layers = 0 }: { width?: number; layers?: number },
): string {
  const zero = constant({ shape: [], data: Float32Array.of(0) });
  const sum = (value: string) => node("ReduceSum", [value], { attributes: { keepdims: 0 } });
  const nothing = node("Mul", [sum(input), zero]);
  if (layers === 0) return nothing;
  const zeros = constant({ shape: [width, width], data: new Float32Array(width * width) });
  let product = node("Add", [zeros, nothing]);
  for (let layer = 0; layer < layers; layer++) product = node("MatMul", [product, zeros]);
  return sum(product);
}
