import type { Provider } from "@enginehouse/llm-core";

import type { Backend } from "../backend.ts";
import type { Bench, Stand } from "../check.ts";
import type { Subject } from "../subject.ts";
import { now, sleep } from "./clock.ts";
import type { SubjectPackage } from "./manifest.ts";
import { watchProvider, type WatchedProvider } from "./watched-provider.ts";
import { wireLines } from "./wire-lines.ts";

/** A bench, and what the runner does with it afterwards. */
export interface RunBench {
  readonly bench: Bench;
  readonly saw: readonly string[];
  /** Closes every provider that was made. */
  closeProviders(): Promise<void>;
  /** After that: connections that a backend still has, and what calls left behind. Waits up to `withinMs` for it to vanish. */
  complaints(withinMs: number): Promise<readonly string[]>;
  /** Requests that arrived at all backends. */
  requests(): number;
  /** What they were, in lines for people. */
  wire(): readonly string[];
  closeBackends(): Promise<void>;
}

export interface BenchSetting {
  readonly subject: Subject;
  readonly described: SubjectPackage;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Runs what is the kit's own, so that nothing of it is taken for the plugin's. */
  readonly aside: <Result>(run: () => Result) => Result;
}

export function createBench({ subject, described, random, signal, aside }: BenchSetting): RunBench {
  const backends: Backend[] = [];
  const providers: { readonly made: Provider; readonly watched: WatchedProvider }[] = [];
  const saw: string[] = [];

  const bench: Bench = {
    subject,
    manifest: described.manifest,
    folder: described.folder,
    signal,
    random,
    saw: (what) => void saw.push(what),
    async start(scenario = {}, settings = {}): Promise<Stand> {
      const backend = await aside(() => subject.backend.start(scenario));
      backends.push(backend);
      const plugin = typeof subject.plugin === "function" ? await subject.plugin() : subject.plugin;
      const chosen = { ...backend.settings, ...settingsOf(subject, backend), ...settings };
      const made = plugin.create(chosen as never);
      const watched = watchProvider(made);
      providers.push({ made, watched });
      return { provider: watched.provider, backend, model: backend.models.chat };
    },
  };

  const left = (): readonly string[] => [
    ...backends.filter(({ seen }) => seen.openSockets > 0).map(({ seen }) => openSockets(seen.openSockets)),
    ...providers.flatMap(({ watched }) => watched.listeners()),
  ];

  return {
    bench,
    saw,
    async closeProviders() {
      const closings = await Promise.allSettled(providers.map(async ({ made }) => made.close()));
      for (const closing of closings) if (closing.status === "rejected") throw closing.reason;
    },
    async complaints(withinMs) {
      const end = now() + withinMs;
      while (left().length > 0 && now() < end) await sleep(5);
      return [...new Set([...left(), ...providers.flatMap(({ watched }) => watched.changed())])];
    },
    wire: () => wireLines(backends),
    requests: () => backends.reduce((sum, { seen }) => sum + seen.requests.length, 0),
    async closeBackends() {
      await aside(() => Promise.all(backends.map((backend) => backend.close())));
    },
  };
}

function settingsOf(subject: Subject, backend: Backend): object {
  try {
    return subject.settings(backend);
  } catch (cause) {
    throw new Error(`settings() of the subject threw ${String(cause)}`, { cause });
  }
}

const openSockets = (count: number): string =>
  `${count} connection(s) to the backend are still open after close()`;
