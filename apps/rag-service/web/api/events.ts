import { createParser } from "eventsource-parser";

import { problemError, unreachable } from "./client.ts";

/**
 * Hands on the events of a reply, all that came in one read together, with the id of the last.
 * Rejects when the connection breaks; whether that was the end is for the reader to know.
 */
export async function readEvents<T>(
  response: Response,
  take: (events: readonly T[], lastEventId: number) => void,
): Promise<void> {
  if (response.body === null) throw problemError(unreachable());
  let batch: T[] = [];
  let lastEventId = 0;
  const parser = createParser({
    onEvent(message) {
      if (message.id !== undefined) lastEventId = Number(message.id);
      const data = JSON.parse(message.data) as T;
      batch.push(message.event === undefined ? data : { ...data, type: message.event });
    },
  });
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.feed(decoder.decode(value, { stream: true }));
    if (batch.length === 0) continue;
    const events = batch;
    batch = [];
    take(events, lastEventId);
  }
}
