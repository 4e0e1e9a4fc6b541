import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import type { Embedder } from "../src/embedder.ts";
import { createIngestor, type IngestSettings } from "../src/ingest/ingest.ts";
import { createSearcher } from "../src/retrieve/search.ts";
import { openStore } from "../src/store/open.ts";

/** An empty folder that goes with the test. */
export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rag-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A store with its ingestor and search over an empty folder, or over the one that is given. */
export async function openLibrary(
  options: {
    readonly folder?: string;
    readonly embedder?: Embedder | undefined;
    readonly settings?: Partial<IngestSettings>;
    readonly vectorSearch?: "auto" | "scan";
    readonly busyTimeoutMs?: number;
  } = {},
) {
  const folder = options.folder ?? (await emptyFolder());
  const present = { embedder: options.embedder };
  const { vectorSearch, busyTimeoutMs } = options;
  const store = await openStore({ path: join(folder, "enginehouse.db"), vectorSearch, busyTimeoutMs });
  const embedder = () => present.embedder;
  const ingestor = createIngestor({ store, embedder, dataDir: folder, settings: options.settings });
  const searcher = createSearcher({ store, embedder });
  const close = async () => {
    await ingestor.close();
    await store.close();
  };
  onTestFinished(close);

  /** Adds a text and waits until it is searchable. */
  async function add(
    name: string,
    text: string | Uint8Array,
    more: { collectionId?: string; externalId?: string } = {},
  ) {
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    const submitted = await ingestor.submit(bytes, { name, ...more });
    await ingestor.idle();
    return submitted;
  }

  return { folder, store, ingestor, searcher, add, close, present };
}
