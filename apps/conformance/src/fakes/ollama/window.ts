import type { AskedMessage } from "../../backend.ts";
import type { ModelScript } from "../../scenario.ts";
import type { Prompt } from "../play-chat.ts";
import { wordsOfMessages } from "../words.ts";
import type { OllamaKind } from "./kind.ts";

const DEFAULT_WINDOW = 4_096;
const STEP = 256;
const KEPT = 4;

/** What a request without `num_ctx` gets too; the new generation rounds up, and neither goes beyond the model. */
export const windowFor = (asked: number | undefined, model: ModelScript, kind: OllamaKind): number => {
  const wished = asked ?? DEFAULT_WINDOW;
  const whole = kind.generation === "new" ? Math.ceil(wished / STEP) * STEP : wished;
  return Math.min(whole, model.window);
};

/** What becomes of a prompt: old turns are dropped first, then the rest is cut, both in silence, or it is refused. */
export const fitPrompt = (
  messages: readonly AskedMessage[],
  window: number,
  habits: { readonly truncate: boolean; readonly shift: boolean; readonly kind: OllamaKind },
): Prompt | undefined => {
  const all = wordsOfMessages(messages);
  if (all > window && !habits.truncate) return undefined;
  const tokens = wordsOfMessages(withoutOldTurns(messages, window));
  if (tokens > window && habits.kind.path === "native") return undefined;
  const read = tokens > window ? cut(window, habits.kind) : tokens;
  return { tokens: read, room: habits.shift ? undefined : window - read };
};

const withoutOldTurns = (messages: readonly AskedMessage[], window: number): readonly AskedMessage[] => {
  let kept = messages;
  while (wordsOfMessages(kept) > window) {
    const oldest = kept.findIndex((message, place) => message.role !== "system" && place < kept.length - 1);
    if (oldest < 0) break;
    kept = kept.filter((_, place) => place !== oldest);
  }
  return kept;
};

const cut = (window: number, kind: OllamaKind): number =>
  kind.generation === "0.13" ? window : window - Math.floor(Math.max(0, window - KEPT) / 2);
