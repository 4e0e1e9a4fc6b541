/** The events of one run or job, numbered from 1, read by any number of listeners, each at its own pace. */
export interface EventLog<Event> {
  append(event: Event): void;
  /** No further event comes. */
  end(): void;
  readonly ended: boolean;
  /** The number of the last event. */
  readonly length: number;
  /** The number of the last event that is not kept any more. */
  readonly before: number;
  /** The events after number `after`, at most `limit`. */
  read(after: number, limit: number): readonly Event[];
  /** Calls back after every change, until the returned function is called. */
  listen(listener: () => void): () => void;
}

export interface EventLogOptions {
  /** How many events there were before that are not kept any more. Default 0. */
  readonly before?: number;
  /** How many are kept; the oldest go first. Default all. */
  readonly keep?: number;
}

export function createEventLog<Event>(options: EventLogOptions = {}): EventLog<Event> {
  const { keep = Number.POSITIVE_INFINITY } = options;
  let before = options.before ?? 0;
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
      if (events.length > keep) {
        events.shift();
        before += 1;
      }
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
      return before + events.length;
    },
    get before() {
      return before;
    },
    read(after, limit) {
      const from = Math.max(0, after - before);
      return events.slice(from, from + limit);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
