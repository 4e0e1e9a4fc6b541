/** What a reader must know before the answer itself. */
import type { FinishEvent, LlmError } from "@enginehouse/llm-core";

import { fault } from "./api/problem.ts";
import type { AnswerRequest, Notice } from "./api/schemas.ts";
import type { Attribution } from "./cite/attribute.ts";
import type { Store } from "./store/store.ts";

/**
 * What is taken of one answer, in characters, its reasoning included: more than the models of today write at once, so
 * only one that does not end by itself gets there. All of it is kept in memory and saved in one piece.
 */
export const MAX_ANSWER = 1_000_000;

/** An `LlmError`, or a fault of the service. */
export type Fault = Error & { readonly hint?: string | undefined };

/** Jobs that cannot go on now, by their ids, each with what keeps it. */
export type Waiting = ReadonlyMap<string, LlmError>;

/** For whoever looks after the service: one sentence or two for each thing that jobs wait for. */
export function notesOfWaiting(waiting: Waiting): string[] {
  const byCode = new Map([...waiting.values()].map((error) => [error.code, error]));
  return [...byCode.values()].map(({ code, message, hint = "" }) => {
    const count = [...waiting.values()].filter((error) => error.code === code).length;
    const who = count === 1 ? "1 job waits" : `${count} jobs wait`;
    return `${who}: ${message}. ${hint}`.trim();
  });
}

export function notesOfUnsaved(why: Unsaved | undefined): string[] {
  if (why === undefined) return [];
  return [`The latest answer could not be saved: ${why.message}. ${why.hint ?? ""}`.trim()];
}

interface Unsaved {
  readonly message: string;
  readonly hint?: string | undefined;
}

export async function noticeOfState(
  store: Store,
  { collectionIds }: AnswerRequest,
  waiting: Waiting,
): Promise<Notice | undefined> {
  const [{ documents, windows }, queued, running] = await Promise.all([
    store.status(),
    store.listJobs({ status: "queued" }),
    store.listJobs({ status: "running" }),
  ]);
  const concerns = [...queued, ...running].filter(
    (job) =>
      job.kind === "ingest" &&
      (collectionIds === undefined ||
        job.collectionId === undefined ||
        collectionIds.includes(job.collectionId)),
  );
  if (concerns.length > 0) {
    const one = concerns.length === 1;
    const held = concerns.map(({ id }) => waiting.get(id)).find((error) => error !== undefined);
    return {
      code: "still-indexing",
      message: `${concerns.length} document${one ? " is" : "s are"} still being read and ${one ? "was" : "were"} not searched.`,
      hint: held?.hint ?? "Ask again when it is done.",
    };
  }
  if (documents === 0 || windows === 0) {
    return {
      code: "no-documents",
      message: "There are no documents yet.",
      hint: "Add documents, then ask again.",
    };
  }
  return undefined;
}

export const NOT_FOUND: Notice = {
  code: "not-in-documents",
  message: "Your documents do not contain this: no passage fits the question.",
  hint: "Ask with other words, or add a document that holds the answer.",
};
export const FAR: Notice = {
  code: "not-in-documents",
  message: "Your documents hardly contain this: these are only the nearest sentences.",
  hint: "Ask with other words, or add a document that holds the answer.",
};
export const NO_MODEL: Notice = {
  code: "no-model",
  message: "No model that can chat is here now, so the best sentences of your documents are quoted.",
  hint: "Get one, or see under Models why a backend is not reached, then ask again.",
};

export function modelsFailed(error: Fault, tried: number): Notice {
  const who = tried === 1 ? "The model could not answer" : `None of ${tried} models could answer`;
  return {
    code: "models-failed",
    message: `${who} (${error.message}), so the best sentences of your documents are quoted.`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

export function noticesOfEnd(
  attribution: Attribution | undefined,
  finish: FinishEvent | undefined,
  tooLong: boolean,
): Notice[] {
  const notices: Notice[] = [];
  if (attribution?.nothingSupported === true) {
    notices.push({
      code: "not-in-documents",
      message: "Your documents do not contain this: no sentence of the answer is supported by them.",
      hint: "Trust the quotes, not the answer.",
    });
  }
  if (tooLong) {
    notices.push({
      code: "answer-cut",
      message: `The answer was cut at ${MAX_ANSWER.toLocaleString("en")} characters, the most that is taken.`,
      hint: "Ask for less at once, or choose another model: this one may not have come to an end by itself.",
    });
  } else if (finish?.reason.unified === "length") {
    notices.push({
      code: "answer-cut",
      message: "The answer was cut at its limit of tokens.",
      hint: "Ask for less at once.",
    });
  }
  return notices;
}

export function noModel(): Fault {
  return fault({
    status: 409,
    code: "no-model",
    detail: "No model that can chat is here now.",
    hint: "Get one, see under Models why a backend is not reached, or ask with mode `quote`.",
    retryable: false,
  });
}
