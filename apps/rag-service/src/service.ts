/** The parts, put together and taken apart again. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { Registry } from "@enginehouse/llm-core";

import { bugLine } from "./api/problem.ts";
import { lockDataFolder } from "./data-lock.ts";
import { createDownloads, type Downloads } from "./downloads.ts";
import { createExamples, type Examples } from "./examples.ts";
import { createIngestor, type Ingestor, type IngestSettings } from "./ingest/ingest.ts";
import { createModels, type Models } from "./models.ts";
import { openRegistry, type RegisteredPlugin } from "./providers.ts";
import { createSearcher, type Searcher } from "./retrieve/search.ts";
import { openRunStore } from "./runs/run-store.ts";
import { createRuns, type Runs } from "./runs/runs.ts";
import { type ActiveSettingsStore, createActiveSettings, type ServiceSettings } from "./settings.ts";
import { openStore } from "./store/open.ts";
import type { Store } from "./store/store.ts";

export interface Service {
  readonly settings: ServiceSettings;
  readonly registry: Registry;
  readonly models: Models;
  readonly store: Store;
  readonly ingestor: Ingestor;
  readonly searcher: Searcher;
  readonly runs: Runs;
  readonly downloads: Downloads;
  readonly examples: Examples;
  readonly active: ActiveSettingsStore;
  /** Writes one line about a bug; nothing else is ever reported. */
  readonly report: (line: string) => void;
  /** Ends runs, jobs, providers with their engines, and the store. Idempotent. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly plugins?: readonly RegisteredPlugin[];
  readonly ingest?: Partial<IngestSettings>;
  /** How long a call waits for another program that holds the database. Default 10,000. */
  readonly busyTimeoutMs?: number;
  /** Default: one line on stderr. */
  readonly report?: (line: string) => void;
}

export async function openService(settings: ServiceSettings, options: ServiceOptions = {}): Promise<Service> {
  const report = options.report ?? ((line: string) => process.stderr.write(`${line}\n`));
  const lock = lockDataFolder(settings.dataDir);
  let store: Store | undefined;
  try {
    // The store first: it says best what is wrong with the data folder.
    const { busyTimeoutMs } = options;
    store = await openStore({ path: join(settings.dataDir, "enginehouse.sqlite"), busyTimeoutMs });
    await mkdir(settings.modelsDir, { recursive: true });
    const registry = await openRegistry(settings, options.plugins);
    const service = await assemble({ settings, store, registry, report, ingest: options.ingest });
    return { ...service, close: () => service.close().finally(lock.release) };
  } catch (error) {
    await store?.close();
    lock.release();
    throw error;
  }
}

interface Foundation {
  readonly settings: ServiceSettings;
  readonly store: Store;
  readonly registry: Registry;
  readonly report: (line: string) => void;
  readonly ingest: Partial<IngestSettings> | undefined;
}

async function assemble({ settings, store, registry, report, ingest }: Foundation): Promise<Service> {
  const models = createModels(registry, settings.config);
  const { embedder } = models;
  const ingestor = createIngestor({ store, embedder, dataDir: settings.dataDir, settings: ingest });
  const runStore = openRunStore(join(settings.dataDir, "runs.sqlite"));
  const runs = createRuns(runStore, report);
  const downloads = createDownloads({
    registry,
    config: settings.config,
    modelsDir: settings.modelsDir,
    report,
    onInstalled() {
      models.refresh();
      reindexForNewEmbedder(models, store, ingestor).catch((error: unknown) =>
        report(bugLine(error, "reindexing")),
      );
    },
  });
  await ingestor.start();
  warm(models, store);
  let closing: Promise<void> | undefined;
  return {
    settings,
    registry,
    models,
    store,
    ingestor,
    searcher: createSearcher({ store, embedder }),
    runs,
    downloads,
    examples: createExamples(settings.examplesDir, store, ingestor),
    active: createActiveSettings(store),
    report,
    close: () =>
      (closing ??= (async () => {
        await Promise.all([runs.close(), downloads.close(), ingestor.close()]);
        await registry.close();
        await store.close();
        runStore.close();
      })()),
  };
}

/** Where there are documents a question is near, and it should not wait for the embedder to load. */
function warm(models: Models, store: Store): void {
  const embed = async () => {
    const { windows } = await store.status();
    if (windows > 0) await (await models.embedder())?.embed(["warm"], "query");
  };
  // Whoever needs the embedder next hears what is wrong with it.
  embed().catch(() => undefined);
}

/** A better embedder may have come: then the vectors are made anew in background. */
async function reindexForNewEmbedder(models: Models, store: Store, ingestor: Ingestor): Promise<void> {
  const choice = await models.embedderChoice();
  if (choice === undefined) return;
  const generations = await store.listGenerations();
  const now = generations.find((generation) => generation.active);
  if (now?.provider !== choice.providerId || now.model !== choice.model) await ingestor.reindex();
}
