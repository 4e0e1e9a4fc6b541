import { replySteps } from "./reply-steps.ts";
import {
  ASSISTANT_TURN,
  createVocabulary,
  TURN_END,
  TURN_START,
  USER_TURN,
  type Vocabulary,
} from "./vocabulary.ts";

/** What a scripted model answers. */
export interface ScriptedReply {
  /** Written first, between `<think>` and `</think>`. */
  readonly think?: string;
  /** The answer, word for word. With `call`, it is written before the call. */
  readonly say?: string;
  /** Tools to call, in the Hermes style: `<tool_call>` and a JSON object with `name` and `arguments`. */
  readonly call?: ScriptedCall | readonly ScriptedCall[];
  /** Repeats `say` and never ends the turn. */
  readonly forever?: boolean;
}

export interface ScriptedCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** One rule of a script. */
export interface ScriptedRule extends ScriptedReply {
  /**
   * The cue: the rule holds when this text is in the last user message. Of several cues in one message the last one
   * counts, if they are at least five tokens apart. The rule without a cue answers everything else.
   */
  readonly when?: string;
  /** The answer once a tool's result has come. Without it the turn ends at once. */
  readonly after?: ScriptedReply;
}

/** Rules in any order; at most one without `when`. */
export type Script = readonly ScriptedRule[];

/** Whether the turn answers a user message or a tool's result. */
export type Phase = "fresh" | "answered";

/** In a reply to `rule`, in `phase`, after `call`, the token `from` is followed by `to`. */
export interface Step {
  readonly rule: number;
  readonly phase: Phase;
  /** Which call's arguments the turn has written last; 0 before the first. */
  readonly call: number;
  readonly from: number;
  readonly to: number;
}

/** A script as a machine: its states are (rule, phase, call, last token). Rule 0 is the one without a cue. */
export interface Program {
  readonly vocabulary: Vocabulary;
  readonly ruleCount: number;
  readonly steps: readonly Step[];
  /** The tokens that end a call's arguments, each with its number; 0 is no call. */
  readonly calls: ReadonlyMap<number, number>;
  /** The rule that a token's text is a cue for. */
  ruleOfCue(token: number): number | undefined;
  readonly marks: {
    readonly user: number;
    readonly assistant: number;
    /** Begins any other turn. */
    readonly system: number;
    readonly result: number;
    readonly end: number;
  };
}

const RESULT_END = "</tool_response>";

/** Turns a script into steps between tokens; words of the replies become tokens of their own. */
export function compileScript(script: Script): Program {
  const vocabulary = createVocabulary();
  const others = script.filter(({ when }) => when === undefined);
  if (others.length > 1) throw new Error("A script has at most one rule without `when`.");
  const rules: ScriptedRule[] = [others[0] ?? {}, ...script.filter(({ when }) => when !== undefined)];

  const cues = new Map<string, number>();
  for (const [index, { when }] of rules.entries()) {
    if (when === undefined) continue;
    if (when.length < 2)
      throw new Error(`The cue ${JSON.stringify(when)} is too short: two characters or more.`);
    if (cues.has(when)) throw new Error(`Two rules have the cue ${JSON.stringify(when)}.`);
    cues.set(when, index);
    vocabulary.add(when, "user-defined");
    // Some tokenizers take the leftmost token first: a reply's word that begins with a space must not cut the cue.
    vocabulary.add(` ${when}`, "user-defined");
  }

  const result = vocabulary.add(RESULT_END, "user-defined");
  const calls = new Map<number, number>();
  const stepsOf = (rule: number, phase: Phase, reply: ScriptedReply): Step[] =>
    replySteps(vocabulary, calls, reply).map((step) => ({ rule, phase, ...step }));
  const steps = rules.flatMap((rule, index) => [
    ...stepsOf(index, "fresh", rule),
    ...stepsOf(index, "answered", rule.after ?? {}),
  ]);

  return {
    vocabulary,
    ruleCount: rules.length,
    steps,
    calls,
    ruleOfCue(token) {
      const entry = vocabulary.tokens[token];
      if (entry === undefined || entry.kind === "control") return undefined;
      // A longer token swallows the cue inside it, so it counts as that cue; the last of several wins.
      const inside = [...cues].map(([cue, rule]) => ({
        rule,
        end: entry.text.lastIndexOf(cue) + cue.length,
        cue,
      }));
      const found = inside.filter(({ cue }) => entry.text.includes(cue));
      found.sort((a, b) => b.end - a.end || b.cue.length - a.cue.length);
      return found[0]?.rule;
    },
    marks: {
      user: vocabulary.idOf(USER_TURN),
      assistant: vocabulary.idOf(ASSISTANT_TURN),
      system: vocabulary.idOf(TURN_START),
      result,
      end: vocabulary.idOf(TURN_END),
    },
  };
}
