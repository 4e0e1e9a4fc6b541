import { useSyncExternalStore } from "react";

import type { Document } from "../../src/api/schemas.ts";
import { type Problem, problemOf } from "../api/client.ts";
import { examples } from "../api/examples.ts";
import { onSettled } from "../api/jobs.ts";
import { libraryCount } from "../api/library-count.ts";
import { createResource } from "../api/resource.ts";
import { addExamples, deleteDocument, listDocuments, retryJob, upload } from "../api/service.ts";

/** A file on its way to the service, or refused by it. */
export interface Sending {
  readonly id: number;
  readonly file: File;
  readonly problem?: Problem | undefined;
  /** Already there, with the same content. */
  readonly unchanged?: boolean | undefined;
}

/** How many files are sent at the same time. */
const AT_ONCE = 3;

export const documents = createResource(listDocuments);

let sendings: readonly Sending[] = [];
let lastId = 0;
const waiting: Sending[] = [];
let active = 0;
const listeners = new Set<() => void>();

/** Many jobs may end at once; the list is read anew a moment after the first of them. */
const SOON_MS = 200;
let soon: ReturnType<typeof setTimeout> | undefined;

onSettled((job) => {
  if (job !== undefined && job.kind !== "ingest") return;
  soon ??= setTimeout(() => {
    soon = undefined;
    void documents.refresh();
    void libraryCount.refresh();
  }, SOON_MS);
});

export function useSendings(): readonly Sending[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => sendings,
  );
}

export function addFiles(added: Iterable<File>): void {
  for (const file of added) {
    const sending = { id: ++lastId, file };
    put([...sendings, sending]);
    waiting.push(sending);
  }
  sendNext();
}

export function dismiss({ id }: Sending): void {
  put(sendings.filter((sending) => sending.id !== id));
}

export function sendAgain(sending: Sending): void {
  dismiss(sending);
  addFiles([sending.file]);
}

/** Has a document read again that could not be read. */
export async function readAgain({ jobId }: Document): Promise<void> {
  if (jobId !== undefined) await retryJob(jobId);
  await documents.refresh();
}

export async function addAllExamples(ids?: readonly string[]): Promise<void> {
  await addExamples(ids);
  await Promise.all([documents.refresh(), examples.refresh(), libraryCount.refresh()]);
}

export async function remove(document: Document): Promise<void> {
  await deleteDocument(document);
  documents.set((list) => list.filter(({ id }) => id !== document.id));
  void libraryCount.refresh();
  void examples.refresh();
}

function sendNext(): void {
  while (active < AT_ONCE) {
    const sending = waiting.shift();
    if (sending === undefined) return;
    if (!sendings.some(({ id }) => id === sending.id)) continue;
    active++;
    void send(sending);
  }
}

async function send(sending: Sending): Promise<void> {
  try {
    const accepted = await upload(sending.file);
    const refusal = accepted.refused[0];
    if (refusal !== undefined) change(sending, { problem: refusal.problem });
    else if (accepted.status === "unchanged") change(sending, { unchanged: true });
    else {
      await documents.refresh();
      dismiss(sending);
    }
    void libraryCount.refresh();
  } catch (error) {
    change(sending, { problem: problemOf(error) });
  } finally {
    active--;
    sendNext();
  }
}

function change({ id }: Sending, changes: Partial<Sending>): void {
  put(sendings.map((sending) => (sending.id === id ? { ...sending, ...changes } : sending)));
}

function put(next: readonly Sending[]): void {
  sendings = next;
  for (const listener of listeners) listener();
}
