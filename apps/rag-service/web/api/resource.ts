import { useEffect, useSyncExternalStore } from "react";

import { type Problem, problemOf } from "./client.ts";

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly problem: Problem | undefined;
  readonly loading: boolean;
}

/** Something the service knows, read once and shared by all who look at it. */
export interface Resource<T> {
  use(): Loaded<T>;
  peek(): T | undefined;
  refresh(): Promise<void>;
  set(change: (value: T) => T): void;
}

export function createResource<T>(load: () => Promise<T>): Resource<T> {
  const listeners = new Set<() => void>();
  let state: Loaded<T> = { value: undefined, problem: undefined, loading: false };
  let latest = 0;

  function put(next: Loaded<T>): void {
    state = next;
    for (const listener of listeners) listener();
  }

  async function refresh(): Promise<void> {
    const mine = ++latest;
    put({ ...state, loading: true });
    try {
      const value = await load();
      if (mine === latest) put({ value, problem: undefined, loading: false });
    } catch (error) {
      if (mine === latest) put({ value: state.value, problem: problemOf(error), loading: false });
    }
  }

  function subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  return {
    use() {
      const loaded = useSyncExternalStore(subscribe, () => state);
      useEffect(() => {
        if (state.value === undefined && !state.loading) void refresh();
      }, []);
      return loaded;
    },
    peek: () => state.value,
    refresh,
    set(change) {
      if (state.value === undefined) return;
      latest++; // A reply that is under way would bring back what has just been changed.
      put({ value: change(state.value), problem: undefined, loading: false });
    },
  };
}
