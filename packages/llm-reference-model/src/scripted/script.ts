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
      user: markId(vocabulary, USER_TURN),
      assistant: markId(vocabulary, ASSISTANT_TURN),
      system: markId(vocabulary, TURN_START),
      result,
      end: markId(vocabulary, TURN_END),
    },
  };
}

/**
 * What a reply writes, in stretches of pieces: each but the first begins with the piece that ends a call's arguments. An
 * engine writes what follows those by itself, the same after every call, so they are what tells one call from the next.
 */
function replyStretches({ think, say = "", call }: ScriptedReply): string[][] {
  const calls = call === undefined ? [] : [call].flat();
  let stretch = [...thoughtPieces(think), ...words(say)];
  const stretches = [stretch];
  const written = argumentPieces(calls);
  for (const [index, { name }] of calls.entries()) {
    const pieces = written[index] ?? [];
    if (index > 0 || say !== "") stretch.push("\n");
    stretch.push("<tool_call>\n", '{"name": "', name, '", "arguments": ', ...pieces.slice(0, -1));
    stretch = [...pieces.slice(-1), "}\n", "</tool_call>"];
    stretches.push(stretch);
  }
  return stretches;
}

function thoughtPieces(think: string | undefined): string[] {
  return think === undefined ? [] : ["<think>\n", ...words(think), "\n</think>\n\n"];
}

/** The arguments of each call in pieces, the last of which no other call has. */
function argumentPieces(calls: readonly ScriptedCall[]): string[][] {
  const texts = calls.map((call) => JSON.stringify(call.arguments));
  if (new Set(texts).size < texts.length) throw new Error("Two calls of one reply have the same arguments.");
  const pieces = texts.map((text) => text.split(/(?<=[:,])/));
  const ends = new Set(pieces.map((list) => list.at(-1)));
  return ends.size < texts.length ? texts.map((text) => [text]) : pieces;
}

function replySteps(
  vocabulary: Vocabulary,
  calls: Map<number, number>,
  reply: ScriptedReply,
): Pick<Step, "call" | "from" | "to">[] {
  const { think, forever = false, say = "" } = reply;
  if (forever && (say === "" || reply.call !== undefined)) {
    throw new Error("`forever` repeats `say`: it needs one, and goes without `call`.");
  }
  const steps = new Map<string, { call: number; from: number; to: number }>();
  let call = 0;
  let from = markId(vocabulary, ASSISTANT_TURN);
  const goTo = (to: number) => {
    const key = `${call} ${from}`;
    const known = steps.get(key)?.to ?? to;
    if (known !== to) {
      const piece = vocabulary.tokens[from]?.string;
      throw new Error(`The reply cannot be told apart after ${JSON.stringify(piece)}; use other words.`);
    }
    steps.set(key, { call, from, to });
    from = to;
  };

  let repeated: number | undefined;
  let length = 0;
  for (const [index, stretch] of replyStretches(reply).entries()) {
    for (const [place, piece] of distinct(stretch, forever).entries()) {
      const ids = vocabulary.spell(piece);
      if (length === thoughtPieces(think).join("").length) repeated ??= ids[0];
      length += piece.length;
      for (const id of ids) goTo(id);
      if (index > 0 && place === 0) {
        call = calls.get(from) ?? calls.size + 1;
        calls.set(from, call);
      }
    }
  }
  goTo(forever && repeated !== undefined ? repeated : markId(vocabulary, TURN_END));
  return [...steps.values()];
}

/** Words with the white space before them. */
function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/gu) ?? [];
}

/**
 * The machine remembers the last token only, so within a reply equal pieces must have equal successors. A piece that
 * has not is joined with the one after it.
 */
function distinct(pieces: readonly string[], cyclic: boolean): string[] {
  const joined = [...pieces];
  const successor = (index: number) => joined[index + 1] ?? (cyclic ? joined[0] : undefined);
  for (let changed = true; changed;) {
    changed = false;
    const seen = new Map<string, number>();
    for (const [index, piece] of joined.entries()) {
      const earlier = seen.get(piece);
      seen.set(piece, index);
      if (earlier === undefined || successor(earlier) === successor(index)) continue;
      const at = index + 1 < joined.length ? index : earlier;
      joined.splice(at, 2, piece + (joined[at + 1] ?? ""));
      changed = true;
      break;
    }
  }
  return joined;
}

function markId(vocabulary: Vocabulary, mark: string): number {
  const id = vocabulary.find(mark);
  if (id === undefined) throw new Error(`The vocabulary lacks ${JSON.stringify(mark)}.`);
  return id;
}
