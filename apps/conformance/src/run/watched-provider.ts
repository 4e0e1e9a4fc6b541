import { getEventListeners } from "node:events";
import { isDeepStrictEqual } from "node:util";

import { OPERATIONS, type Provider } from "@enginehouse/llm-core";

/** A provider whose calls are looked at: what each was given must be as it was, and its signal free again. */
export interface WatchedProvider {
  readonly provider: Provider;
  /** What the calls changed, one sentence each. */
  changed(): readonly string[];
  /** What they left on the signals that they were given. */
  listeners(): readonly string[];
}

interface Call {
  readonly method: string;
  readonly given: readonly unknown[];
  readonly before: readonly unknown[];
}

/** The same provider: what it lacks is missing here, too. */
export function watchProvider(provider: Provider): WatchedProvider {
  const calls: Call[] = [];
  const signals = new Map<AbortSignal, { readonly method: string; readonly before: number }>();

  const watched = (method: string, call: (...given: unknown[]) => unknown) =>
    function (...given: unknown[]): unknown {
      calls.push({ method, given, before: given.map(snapshot) });
      const signal = signalOf(given);
      if (signal !== undefined && !signals.has(signal)) {
        signals.set(signal, { method, before: listenersOf(signal) });
      }
      return call.apply(provider, given);
    };

  const copy: Record<PropertyKey, unknown> = {};
  for (const key of keysOf(provider)) {
    const value: unknown = Reflect.get(provider, key);
    const method = METHODS.find((name) => name === key);
    copy[key] = typeof value === "function" && method !== undefined ? watched(method, value as never) : value;
  }

  return {
    provider: copy as unknown as Provider,
    changed() {
      const changed = calls.filter(({ given, before }) => !same(given, before)).map(({ method }) => method);
      return [...new Set(changed)].map((method) => `what ${method} was given has changed`);
    },
    listeners: () =>
      [...signals]
        .filter(([signal, { before }]) => listenersOf(signal) > before)
        .map(
          ([signal, { method, before }]) =>
            `${listenersOf(signal) - before} listener(s) are left on the signal that ${method} was given`,
        ),
  };
}

const METHODS: readonly string[] = Object.values(OPERATIONS);

function keysOf(provider: object): readonly PropertyKey[] {
  const keys = new Set<PropertyKey>();
  let at: object | null = provider;
  while (at !== null && at !== Object.prototype) {
    for (const key of Reflect.ownKeys(at)) if (key !== "constructor") keys.add(key);
    at = Object.getPrototypeOf(at) as object | null;
  }
  return [...keys];
}

function signalOf(given: readonly unknown[]): AbortSignal | undefined {
  const options = given[1] as { readonly signal?: unknown } | undefined;
  return options?.signal instanceof AbortSignal ? options.signal : undefined;
}

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

const same = (given: readonly unknown[], before: readonly unknown[]): boolean =>
  isDeepStrictEqual(given.map(snapshot), before);

/** A copy of plain data, frozen or not; anything else, such as a signal, stands for itself. */
function snapshot(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snapshot);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (typeof value !== "object" || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Reflect.ownKeys(value).map((key) => [key, snapshot(Reflect.get(value, key))]));
}
