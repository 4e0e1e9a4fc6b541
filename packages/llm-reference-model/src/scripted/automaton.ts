import type { GgufTensor } from "./gguf-file.ts";
import type { Program } from "./script.ts";

/** A llama whose weights are written down, not learned. */
export interface AutomatonWeights {
  readonly width: number;
  readonly feedForward: number;
  readonly layers: number;
  readonly heads: number;
  readonly headWidth: number;
  readonly ropeBase: number;
  readonly tensors: readonly GgufTensor[];
}

export interface AutomatonOptions {
  readonly contextWindow: number;
  /** Extra width and extra layers of zeros: they change nothing but the time that a token takes. */
  readonly padding?: { readonly width?: number; readonly layers?: number };
}

const HEADS = 2;
const HEAD_WIDTH = 64;
/** Queries and keys of a match, both: exact in float16, as the cache of keys keeps them. */
const MATCH = 256;
/** How strongly nearness counts: the score falls from 0 by this much, over a quarter of a turn of the recency pair. */
const NEARNESS = 52_000;
/** The rotary pairs in use: one turns slowly with the distance, the others do not turn at all. */
const RECENCY_PAIR = 8;
const MATCH_PAIR = 31;
const BONUS_PAIR = 30;
/** The largest window in which neighbouring turns (six tokens or more apart) can still be told apart. */
export const LARGEST_WINDOW = 4096;

/**
 * The program as the weights of a llama with three layers. The stream has one dimension for each token and a few for the
 * state; a token's embedding is 1 in its own dimension and in a constant one.
 *
 * Layer 1, head 1: whose turn is this?
 * Layer 1, head 2: what came last, a user turn or a tool's result? It says the phase.
 * Layer 2, head 1: what came last, the start of a user turn or a cue in one? It says which rule is asked for.
 * Layer 2, head 2: what came last, the start of an assistant turn or a call's arguments?
 * Layer 3, head 1: the rule, taken from the last assistant turn that did not answer a tool's result.
 * Layer 3, head 2: the phase, taken from the last assistant turn.
 * Layer 3, feed forward: one hidden unit for each step; it opens when rule, phase, call and last token are all its
 * own, and then writes the next token. Where no unit opens, the turn ends.
 */
export function automatonWeights(program: Program, options: AutomatonOptions): AutomatonWeights {
  const { contextWindow, padding = {} } = options;
  if (contextWindow > LARGEST_WINDOW) {
    throw new Error(`A scripted model sees ${LARGEST_WINDOW} tokens at most, not ${contextWindow}.`);
  }
  if (program.ruleCount > HEAD_WIDTH) {
    throw new Error(`A script has at most ${HEAD_WIDTH - 1} rules with a cue, not ${program.ruleCount - 1}.`);
  }
  if (program.calls.size >= HEAD_WIDTH) {
    throw new Error(`A script has at most ${HEAD_WIDTH - 1} different calls, not ${program.calls.size}.`);
  }
  const { marks, ruleCount, steps } = program;
  const vocabularySize = program.vocabulary.tokens.length;
  const constant = vocabularySize;
  const speaker = constant + 1; // user, assistant, system
  const arrived = speaker + 3; // fresh, answered: what came last
  const asked = arrived + 2; // by rule: what the last user message asks for
  const called = asked + ruleCount; // by call: whose arguments this turn has written last, 0 for none
  const rule = called + program.calls.size + 1; // by rule: what this turn replies to
  const phase = rule + ruleCount; // fresh, answered
  const width = Math.max(roundUp(phase + 2), roundUp(padding.width ?? 0));
  const layers = 3 + (padding.layers ?? 0);
  const feedForward = roundUp(Math.max(steps.length, padding.width ?? 0));
  const phases = { fresh: 0, answered: 1 };
  const speakers = { user: 0, assistant: 1, system: 2 };

  const angle = 1.4 / contextWindow; // of the recency pair, for each token of distance
  const ropeBase = angle ** (-HEAD_WIDTH / (2 * RECENCY_PAIR));
  // Keys are kept in float16, so marks nearer than this many tokens cannot be told apart by their distance alone.
  const blur = 1 / (1448 * angle);
  const bonus = ((blur + 0.5) * NEARNESS * angle) / MATCH;

  const tensors: GgufTensor[] = [];
  const matrix = (name: string, inputs: number, outputs: number) => {
    const data = new Float32Array(inputs * outputs);
    tensors.push({ name, shape: [inputs, outputs], data });
    return (input: number, output: number, value: number) => {
      data[output * inputs + input] = value;
    };
  };
  // RMSNorm divides by the length of the stream; a gain of that length takes it back.
  const norm = (name: string, squaredLength: number) => {
    const data = new Float32Array(width).fill(Math.sqrt(squaredLength / width));
    tensors.push({ name, shape: [width], data });
  };

  const embedding = matrix("token_embd.weight", width, vocabularySize);
  const output = matrix("output.weight", width, vocabularySize);
  for (let token = 0; token < vocabularySize; token++) {
    embedding(token, token, 1);
    embedding(constant, token, 1);
    output(token, token, OUTPUT_GAIN);
  }
  output(constant, marks.end, 2 * OUTPUT_GAIN);
  norm("output_norm.weight", 8 + NEXT_TOKEN ** 2);

  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `blk.${layer}.${part}.weight`;
    norm(name("attn_norm"), [2, 4, 6][layer] ?? 8);
    const query = matrix(name("attn_q"), width, HEADS * HEAD_WIDTH);
    const key = matrix(name("attn_k"), width, HEADS * HEAD_WIDTH);
    const value = matrix(name("attn_v"), width, HEADS * HEAD_WIDTH);
    const attended = matrix(name("attn_output"), HEADS * HEAD_WIDTH, width);
    norm(name("ffn_norm"), 8);
    const gate = matrix(name("ffn_gate"), width, feedForward);
    const up = matrix(name("ffn_up"), width, feedForward);
    const down = matrix(name("ffn_down"), feedForward, width);

    const scale = Math.sqrt(HEAD_WIDTH); // attention divides by it
    const lookBack = (head: number) => {
      const at = (pair: number) => head * HEAD_WIDTH + 2 * pair;
      query(constant, at(MATCH_PAIR), MATCH * scale);
      query(constant, at(BONUS_PAIR), MATCH * scale);
      query(constant, at(RECENCY_PAIR) + 1, Math.sqrt(NEARNESS) * scale);
      return {
        mark(dimension: number, preferred = false) {
          key(dimension, at(MATCH_PAIR), MATCH);
          key(dimension, at(RECENCY_PAIR), Math.sqrt(NEARNESS));
          if (preferred) key(dimension, at(BONUS_PAIR), bonus);
        },
        exclude: (dimension: number) => key(dimension, at(MATCH_PAIR), -2 * MATCH),
        carry(from: number, slot: number, to: number) {
          value(from, head * HEAD_WIDTH + slot, 1);
          attended(head * HEAD_WIDTH + slot, to, 1);
        },
      };
    };

    if (layer === 0) {
      const lastTurn = lookBack(0);
      for (const one of ["user", "assistant", "system"] as const) {
        lastTurn.mark(marks[one]);
        lastTurn.carry(marks[one], speakers[one], speaker + speakers[one]);
      }
      const lastMessage = lookBack(1);
      for (const turn of [marks.user, marks.system]) {
        lastMessage.mark(turn);
        lastMessage.carry(turn, phases.fresh, arrived + phases.fresh);
      }
      lastMessage.mark(marks.result, true);
      lastMessage.carry(marks.result, phases.answered, arrived + phases.answered);
    }

    if (layer === 1) {
      const lastCue = lookBack(0);
      lastCue.mark(marks.user);
      lastCue.carry(marks.user, 0, asked);
      for (let token = 0; token < vocabularySize; token++) {
        const index = program.ruleOfCue(token);
        if (index === undefined) continue;
        lastCue.mark(token, true);
        lastCue.carry(token, index, asked + index);
      }
      lastCue.exclude(speaker + speakers.assistant);
      lastCue.exclude(speaker + speakers.system);
      const lastCall = lookBack(1);
      for (const [token, call] of [[marks.assistant, 0] as const, ...program.calls]) {
        lastCall.mark(token);
        lastCall.carry(token, call, called + call);
      }
    }

    if (layer === 2) {
      const exchange = lookBack(0);
      exchange.mark(marks.assistant);
      exchange.exclude(arrived + phases.answered);
      for (let index = 0; index < ruleCount; index++) exchange.carry(asked + index, index, rule + index);
      const turn = lookBack(1);
      turn.mark(marks.assistant);
      for (const index of [phases.fresh, phases.answered]) turn.carry(arrived + index, index, phase + index);

      for (const [unit, step] of steps.entries()) {
        gate(rule + step.rule, unit, GATE);
        gate(phase + phases[step.phase], unit, GATE);
        gate(called + step.call, unit, GATE);
        gate(step.from, unit, GATE);
        gate(constant, unit, -3.5 * GATE); // open with four of four, shut with three
        up(constant, unit, 2 / GATE);
        down(unit, step.to, NEXT_TOKEN);
      }
    }
  }

  return { width, feedForward, layers, heads: HEADS, headWidth: HEAD_WIDTH, ropeBase, tensors };
}

const GATE = 40;
/** How far the next token stands out from the rest of the stream. */
const NEXT_TOKEN = 8;
/** Makes the lead of the right token so large that no temperature in use finds another one. */
const OUTPUT_GAIN = 6;

const roundUp = (size: number) => Math.ceil(size / 32) * 32;
