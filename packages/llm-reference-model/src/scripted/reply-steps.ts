import type { ScriptedCall, ScriptedReply, Step } from "./script.ts";
import { ASSISTANT_TURN, TURN_END, type Vocabulary } from "./vocabulary.ts";

/**
 * The steps of one reply. Its words become tokens, and the pieces that end a call's arguments get numbers in `calls`.
 */
export function replySteps(
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
  let from = vocabulary.idOf(ASSISTANT_TURN);
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
  goTo(forever && repeated !== undefined ? repeated : vocabulary.idOf(TURN_END));
  return [...steps.values()];
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
