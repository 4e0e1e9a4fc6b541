import type { Answer } from "./deployed.ts";

/** The last event holds the whole run. */
export interface Run extends Answer {
  readonly status: string;
  readonly model?: { readonly ref: string; readonly demonstration: boolean };
  readonly retrievalMode?: string;
  readonly context?: { readonly window?: number };
  readonly error?: { readonly code: string; readonly hint?: string };
}

export interface RunEvent {
  readonly type: string;
  readonly text?: string;
  readonly providerId?: string;
  readonly model?: string;
  readonly run?: Run;
}

export interface Streamed {
  readonly events: readonly RunEvent[];
  /** All bytes as they came. */
  readonly wire: string;
  /** The last event, with the run. */
  readonly last: RunEvent;
  readonly run: Run;
}

/** Asks as the page does, and reads the events to their end. */
export async function askStreamed(url: string, question: string, more: object = {}): Promise<Streamed> {
  const reply = await fetch(`${url}/api/v1/answer`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ question, ...more }),
  });
  const wire = await reply.text();
  if (!reply.ok) throw new Error(`the question was answered with ${reply.status}: ${wire}`);
  const events = wire
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => JSON.parse(line.slice("data:".length)) as RunEvent);
  const last = events.at(-1);
  if (last?.run === undefined) throw new Error(`the answer has no end: ${wire.slice(-500)}`);
  return { events, wire, last, run: last.run };
}

/** The streamed words, one after another. */
export const wordsOf = ({ events }: Streamed): readonly string[] =>
  events.flatMap(({ type, text = "" }) => (type === "text.delta" ? [text] : []));
