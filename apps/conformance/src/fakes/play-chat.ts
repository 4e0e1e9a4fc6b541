import type { CallScript, ChatScript, End, Refusal, UsageScript } from "../scenario.ts";
import type { Framing, Piece } from "./framing.ts";
import { DEFAULT_CHAT } from "./house.ts";
import type { Exchange } from "./http-fake.ts";
import { wait } from "./waiting.ts";
import { countWords, firstWords } from "./words.ts";

/** How a wire says the steps of an answer. */
export interface ChatWords {
  readonly framing: Framing;
  readonly headers?: "with-first" | "at-once" | undefined;
  /** What comes before anything else; left out of a bare reply. */
  opening(): readonly Piece[];
  text(text: string): readonly Piece[];
  reasoning(text: string): readonly Piece[];
  call(fragment: CallFragment): readonly Piece[];
  error(message: string): readonly Piece[];
  empty(): readonly Piece[];
  terminal(ending: Ending): readonly Piece[];
  /** Token counts so far, for wires that can tell them before the end. */
  usage?(usage: Usage): readonly Piece[];
}

/** A part of a call's arguments. */
export interface CallFragment extends WholeCall {
  readonly fragment: string;
  readonly first: boolean;
  readonly last: boolean;
}

export interface WholeCall {
  readonly call: CallScript;
  /** Its place among the calls of the answer. */
  readonly index: number;
  readonly name: string;
  /** `undefined`: the field is left out. */
  readonly id: string | null | undefined;
  readonly inputText: string;
}

export interface Ending {
  readonly end: Exclude<End, "none">;
  /** `undefined`: the backend tells none. */
  readonly usage: Usage | undefined;
  /** Calls that come inside the terminal piece. */
  readonly calls: readonly WholeCall[];
  /** It ends because nothing more fits the window. */
  readonly windowFull: boolean;
}

export interface Usage extends UsageScript {
  readonly input: number;
  readonly output: number;
}

/** An answer in one piece. */
export interface WholeAnswer extends Omit<Ending, "end"> {
  readonly text: string;
  readonly reasoning: string;
  readonly end: End;
  readonly error: string | undefined;
}

/** What the wire decides about a prompt. */
export interface Prompt {
  /** Words of the prompt, those cut away not counted. */
  readonly tokens: number;
  /** Words that the answer may have before the window is full. */
  readonly room?: number | undefined;
}

const BEFORE_CUT_MS = 5;

/** The start that every wire shares: the wait before the headers, and a refusal in place of an answer. */
export const beginChat = async (
  exchange: Pick<Exchange, "gone">,
  script: ChatScript,
): Promise<Refusal | undefined> => {
  await wait(script.headersAfter ?? 0, exchange.gone);
  return script.refusal;
};

/** Plays a script, piece after piece. */
export const streamChat = async (
  exchange: Pick<Exchange, "gone" | "pieces" | "cut">,
  script: ChatScript,
  words: ChatWords,
  prompt: Prompt,
): Promise<void> => {
  const writer = exchange.pieces(words.framing, script.form, words.headers);
  const told = createTold(prompt.room);
  if (script.form?.bare !== true) await writer.write(words.opening());
  const early = script.usageEarly === true ? told.usage(script.usage, prompt.tokens) : undefined;
  if (early !== undefined) await writer.write(words.usage?.({ ...early, output: 1 }) ?? []);
  for (const step of script.steps ?? DEFAULT_CHAT.steps ?? []) {
    if ("text" in step) {
      const text = told.text(step.text);
      if (text !== "") await writer.write(words.text(text));
    } else if ("reasoning" in step) {
      const reasoning = told.reasoning(step.reasoning);
      if (reasoning !== "") await writer.write(words.reasoning(reasoning));
    } else if ("call" in step) {
      const whole = told.call(step.call);
      if (step.call.terminal !== true) {
        for (const fragment of fragmentsOf(whole)) await writer.write(words.call(fragment));
      }
    } else if ("interleaved" in step) {
      const calls = step.interleaved.map((call) => fragmentsOf(told.call(call)));
      for (let turn = 0; turn < Math.max(...calls.map((call) => call.length)); turn += 1) {
        for (const call of calls) {
          const fragment = call[turn];
          if (fragment !== undefined) await writer.write(words.call(fragment));
        }
      }
    } else if ("pause" in step) {
      await writer.flush();
      await wait(step.pause, exchange.gone);
    } else if ("error" in step) return writer.end(words.error(step.error));
    else if ("malformed" in step) await writer.write([{ raw: step.malformed }]);
    else if ("empty" in step) await writer.write(words.empty());
    else {
      await writer.flush();
      // A reset may overtake what was sent before it: the client has a moment to read that.
      await wait(BEFORE_CUT_MS, exchange.gone);
      return exchange.cut(step.cut);
    }
    if (told.full) break;
  }
  const end = told.end(script.end);
  if (end === "none") return writer.end();
  const calls = told.calls.filter((whole) => whole.call.terminal === true);
  return writer.end(
    words.terminal({ end, usage: told.usage(script.usage, prompt.tokens), calls, windowFull: told.full }),
  );
};

/** The same script as one piece; `undefined` when the connection was cut instead. */
export const wholeChat = async (
  exchange: Exchange,
  script: ChatScript,
  prompt: Prompt,
): Promise<WholeAnswer | undefined> => {
  const told = createTold(prompt.room);
  let text = "";
  let reasoning = "";
  let error: string | undefined;
  for (const step of script.steps ?? DEFAULT_CHAT.steps ?? []) {
    if ("text" in step) text += told.text(step.text);
    else if ("reasoning" in step) reasoning += told.reasoning(step.reasoning);
    else if ("call" in step) told.call(step.call);
    else if ("interleaved" in step) step.interleaved.forEach((call) => told.call(call));
    else if ("pause" in step) await wait(step.pause, exchange.gone);
    else if ("error" in step) error ??= step.error;
    else if ("cut" in step) {
      exchange.cut(step.cut);
      return undefined;
    }
    if (told.full || error !== undefined) break;
  }
  const usage = told.usage(script.usage, prompt.tokens);
  const end = told.end(script.end);
  return { text, reasoning, calls: told.calls, end, usage, windowFull: told.full, error };
};

interface Told {
  readonly parts: string[];
  endsInWord: boolean;
}

/** Keeps what has been told of one answer, and what still fits. */
export const createTold = (room = Infinity) => {
  const calls: WholeCall[] = [];
  const text: Told = { parts: [], endsInWord: false };
  const reasoning: Told = { parts: [], endsInWord: false };
  let full = false;
  /** Counted as they come: an answer may be long. */
  let spoken = 0;
  const spent = (): number => spoken + calls.reduce((sum, call) => sum + countWords(call.inputText), 0);

  /** Takes what still fits of a part that follows `told`. */
  const take = (told: Told, part: string): string => {
    const more = countWords(part) - (told.endsInWord && /^\S/u.test(part) ? 1 : 0);
    const fits = spent() + more <= room ? part : cut(told, part);
    if (fits === part) spoken += more;
    if (fits !== "") told.endsInWord = /\S$/u.test(fits);
    told.parts.push(fits);
    return fits;
  };

  const cut = (told: Told, part: string): string => {
    full = true;
    const before = told.parts.join("");
    const left = room - (spent() - countWords(before));
    const fits = firstWords(before + part, left).slice(before.length);
    spoken += countWords(before + fits) - countWords(before);
    return fits;
  };

  return {
    calls: calls as readonly WholeCall[],
    get full() {
      return full;
    },
    text: (part: string): string => take(text, part),
    reasoning: (part: string): string => take(reasoning, part),
    call(call: CallScript): WholeCall {
      const index = calls.length;
      const given = call.id === undefined ? `call-${index + 1}` : call.id;
      const id = call.idAbsent === true ? undefined : given;
      const whole = { call, index, name: call.name, id, inputText: inputTextOf(call) };
      calls.push(whole);
      return whole;
    },
    end(asked: End | undefined): End {
      if (full) return "length";
      return asked ?? (calls.length > 0 ? "tool-calls" : "stop");
    },
    usage(asked: ChatScript["usage"], input: number): Usage | undefined {
      if (asked === "absent") return undefined;
      return { ...asked, input: asked?.input ?? input, output: asked?.output ?? spent() };
    },
  };
};

const inputTextOf = (call: CallScript): string =>
  typeof call.input === "string" ? call.input : JSON.stringify(call.input ?? {});

const fragmentsOf = (whole: WholeCall): readonly CallFragment[] => {
  const units = Array.from(whole.inputText);
  const pieces = Math.max(1, Math.min(whole.call.pieces ?? 1, Math.max(units.length, 1)));
  const size = Math.ceil(units.length / pieces);
  return Array.from({ length: pieces }, (_, turn) => ({
    ...whole,
    fragment: units.slice(turn * size, (turn + 1) * size).join(""),
    first: turn === 0,
    last: turn === pieces - 1,
  }));
};
