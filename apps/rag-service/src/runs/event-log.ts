/** The events of one run or job, numbered from 1, read by any number of listeners, each at its own pace. */
export interface EventLog<Event> {
  append(event: Event): void;
  /** No further event comes. */
  end(): void;
  readonly ended: boolean;
  readonly length: number;
  /** The events after number `after`, at most `limit`. */
  read(after: number, limit: number): readonly Event[];
  /** Calls back after every change, until the returned function is called. */
  listen(listener: () => void): () => void;
}

export function createEventLog<Event>(): EventLog<Event> {
  const events: Event[] = [];
  const listeners = new Set<() => void>();
  let ended = false;
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    append(event) {
      if (ended) throw new Error("an event after the end of its log");
      events.push(event);
      tell();
    },
    end() {
      ended = true;
      tell();
    },
    get ended() {
      return ended;
    },
    get length() {
      return events.length;
    },
    read: (after, limit) => events.slice(after, after + limit),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
