import { spawn } from "node:child_process";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { LlmError } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { createIngestor, type JobEvent } from "../src/ingest/ingest.ts";
import { notesOfWaiting } from "../src/notices.ts";
import { emptyFolder, openLibrary } from "./library.ts";
import { until } from "./under-test.ts";
import { createWordEmbedder } from "./word-embedder.ts";

const LONG = Array.from(
  { length: 120 },
  (_none, at) => `Paragraph ${at} tells of the ship and its crew.`,
).join("\n\n");

test("a document passes through its stages and is searchable at the end", async () => {
  const { ingestor, store, searcher, folder } = await openLibrary({ embedder: createWordEmbedder() });
  const events: JobEvent[] = [];
  ingestor.subscribe((event) => events.push(event));
  const { jobId, status } = await ingestor.submit(Buffer.from(LONG), {
    name: "ship.txt",
    mediaType: "text/plain",
  });
  expect(status).toBe("queued");
  await ingestor.idle();

  expect(events.at(-1)).toMatchObject({ type: "job.completed", job: { id: jobId, status: "completed" } });
  const stages = events.flatMap((event) => (event.type === "job.progress" ? [event.stage] : []));
  expect([...new Set(stages)]).toEqual(["extracting", "chunking", "embedding", "indexing"]);
  const embedding = events.flatMap((event) =>
    event.type === "job.progress" && event.stage === "embedding" ? [event] : [],
  );
  expect(embedding.at(-1)?.done).toBe(embedding.at(-1)?.total);
  const [document] = await store.listDocuments();
  expect(document).toMatchObject({
    name: "ship.txt",
    version: { characters: LONG.length, mediaType: "text/plain" },
    job: { status: "completed" },
  });
  expect((await searcher.search({ query: "crew of the ship" })).mode).toBe("hybrid");
  expect(await readdir(join(folder, "spool"))).toEqual([]);
});

test("the same bytes again are unchanged, and while they wait they are one job", async () => {
  const { ingestor, store } = await openLibrary();
  const submit = () => ingestor.submit(Buffer.from(LONG), { name: "ship.txt" });
  const [one, two] = await Promise.all([submit(), submit()]);
  expect(two).toEqual(one);
  await ingestor.idle();
  expect(await submit()).toEqual({ documentId: one.documentId, jobId: undefined, status: "unchanged" });
  expect(await store.listDocuments()).toHaveLength(1);
});

test("other settings for chunks read the same bytes again", async () => {
  const one = await openLibrary();
  const first = await one.add("ship.txt", LONG);
  await one.close();
  const other = await openLibrary({ folder: one.folder, settings: { windowTokens: 100, windowOverlap: 10 } });
  const second = await other.add("ship.txt", LONG);
  expect(second).toMatchObject({ documentId: first.documentId, status: "queued" });
  expect((await other.store.getDocument(first.documentId))?.version?.windows).toBeGreaterThan(8);
});

describe("an engine that ends while it makes vectors", () => {
  const ended = () =>
    new LlmError("unavailable", "the engine ended (signal SIGKILL)", { provider: "double" });
  /** Fails so many times in a row from the second batch on, then works. */
  const dying = (times: number, error: () => Error = ended) => {
    const words = createWordEmbedder();
    let left = times;
    return {
      ...words,
      failures: () => times - left,
      embed: (async (texts, purpose, options) => {
        if (words.embedded.length > 0 && left > 0) {
          left -= 1;
          throw error();
        }
        return words.embed(texts, purpose, options);
      }) satisfies typeof words.embed,
    };
  };
  const settings = { windowTokens: 16, windowOverlap: 0, embedBackoffMs: 1, embedAttempts: 4 };

  test("is asked again, and the index is whole in the end", async () => {
    const embedder = dying(3);
    const { add, store } = await openLibrary({ embedder, settings });
    await add("ship.txt", LONG);
    expect(embedder.failures()).toBe(3);
    const jobs = await store.listJobs();
    expect(jobs.map(({ kind, status }) => [kind, status])).toEqual([
      ["index", "completed"],
      ["ingest", "completed"],
    ]);
    expect((await store.status()).windows).toBe(embedder.embedded.length);
  });

  test("fails the job when it ends each time, with the reason, and a second try goes on where it stood", async () => {
    const embedder = dying(5);
    const { add, store, ingestor } = await openLibrary({ embedder, settings });
    await add("ship.txt", LONG);
    const [job] = await store.listJobs();
    expect(job).toMatchObject({
      kind: "index",
      status: "failed",
      error: { code: "unavailable", message: expect.stringContaining("SIGKILL"), retryable: true },
    });
    expect(job?.error?.message).toContain("4 attempts");
    expect(embedder.failures()).toBe(5);
    const before = embedder.embedded.length;
    await ingestor.retry(job?.id ?? "");
    await ingestor.idle();
    expect(await store.getJob(job?.id ?? "")).toMatchObject({ status: "completed" });
    expect(embedder.embedded.length).toBe((await store.status()).windows);
    expect(before).toBeGreaterThan(0);
  });

  test("is not asked again about what no second try makes better", async () => {
    const embedder = dying(9, () => new LlmError("unauthenticated", "the key was refused"));
    const { add, store } = await openLibrary({ embedder, settings });
    await add("ship.txt", LONG);
    expect((await store.listJobs())[0]).toMatchObject({
      status: "failed",
      error: { code: "unauthenticated" },
    });
    expect(embedder.failures()).toBe(2);
  });

  test("stops waiting when the service closes", async () => {
    const embedder = dying(99);
    const library = await openLibrary({ embedder, settings: { ...settings, embedBackoffMs: 20_000 } });
    await library.ingestor.submit(Buffer.from(LONG), { name: "ship.txt" });
    while (embedder.failures() < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const from = performance.now();
    await library.ingestor.close();
    expect(performance.now() - from).toBeLessThan(5_000);
    expect((await library.store.listJobs())[0]).toMatchObject({ kind: "index", status: "running" });
  });
});

test("two files of one name are two documents, each with a name of its own", async () => {
  const { add, store } = await openLibrary();
  await add("notes.txt", "The first notes.");
  await add("notes.txt", "The second notes.");
  expect((await store.listDocuments()).map(({ name }) => name).toSorted()).toEqual([
    "notes (2).txt",
    "notes.txt",
  ]);
});

test("a new version replaces the old one, which is found until then", async () => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const words = createWordEmbedder();
  const library = await openLibrary({ embedder: words });
  await library.add("plan.txt", "The old plan names Rotterdam.", { externalId: "plan" });
  library.present.embedder = {
    ...words,
    embed: async (texts, purpose, options) => {
      if (purpose === "document") await gate;
      return words.embed(texts, purpose, options);
    },
  };
  const { documentId } = await library.ingestor.submit(Buffer.from("The new plan names Bergen."), {
    name: "plan.txt",
    externalId: "plan",
  });
  const find = async (query: string) =>
    (await library.searcher.search({ query, mode: "lexical" })).hits.length;
  expect(await find("Rotterdam")).toBe(1);
  release();
  await library.ingestor.idle();
  expect([await find("Rotterdam"), await find("Bergen")]).toEqual([0, 1]);
  expect(await library.store.readText(documentId)).toBe("The new plan names Bergen.");
  expect(await library.store.listDocuments()).toHaveLength(1);
});

test("of two versions in quick order the last one wins", async () => {
  const { ingestor, store } = await openLibrary({ embedder: createWordEmbedder() });
  const submitted = [];
  for (const text of ["Version one.", "Version two.", "Version three."]) {
    submitted.push(await ingestor.submit(Buffer.from(text), { name: "v.txt", externalId: "v" }));
  }
  await ingestor.idle();
  expect(await store.readText(submitted[0]?.documentId ?? "")).toBe("Version three.");
  const jobs = await store.listJobs();
  expect(jobs[0]?.status).toBe("completed");
  expect(jobs.every(({ status }) => status === "completed" || status === "cancelled")).toBe(true);
});

describe("what cannot be read", () => {
  test("fails its job with a reason and a hint, and can be tried again", async () => {
    const { ingestor, store, folder } = await openLibrary();
    const { jobId = "", documentId } = await ingestor.submit(Buffer.from("%PDF-1.4 nothing"), {
      name: "broken.pdf",
    });
    await ingestor.idle();
    expect(await store.getJob(jobId)).toMatchObject({
      status: "failed",
      error: { reason: "broken", message: expect.stringContaining("broken.pdf"), hint: expect.any(String) },
    });
    expect((await store.getDocument(documentId))?.version).toBeUndefined();
    expect(await ingestor.retry(jobId)).toMatchObject({ status: "queued" });
    await ingestor.idle();
    expect(await store.getJob(jobId)).toMatchObject({ status: "failed" });
    await ingestor.deleteDocuments({ documentIds: [documentId] });
    expect(await readdir(join(folder, "spool"))).toEqual([]);
  });

  test("is refused at the door when it is empty, too large, or for nobody", async () => {
    const { ingestor, store, folder } = await openLibrary({ settings: { maxBytes: 1_000_000 } });
    const submit = (bytes: Uint8Array | AsyncIterable<Uint8Array>, collectionId?: string) =>
      ingestor.submit(bytes, { name: "a.txt", collectionId });
    await expect(submit(new Uint8Array())).rejects.toMatchObject({
      code: "invalid-request",
      status: 422,
      message: expect.stringContaining("empty"),
    });
    await expect(submit(endless())).rejects.toMatchObject({
      code: "input-too-long",
      status: 413,
      message: expect.stringContaining("1 MB"),
    });
    await expect(submit(Buffer.from("x"), "nowhere")).rejects.toMatchObject({
      code: "invalid-request",
      status: 404,
    });
    expect(await readdir(join(folder, "spool"))).toEqual([]);
    expect(await store.listDocuments()).toEqual([]);
  });

  test("is left behind by a client that goes away while it uploads", async () => {
    const { ingestor, folder } = await openLibrary();
    const controller = new AbortController();
    const upload = ingestor.submit(
      endless(() => controller.abort()),
      { name: "a.txt", signal: controller.signal },
    );
    await expect(upload).rejects.toMatchObject({ code: "aborted" });
    expect(await readdir(join(folder, "spool"))).toEqual([]);
  });
});

test("a client's name for its file is never a path", async () => {
  const { add, store, folder } = await openLibrary();
  await add("../../etc/pass\u202ewd\u0000.txt", "Nothing to see.");
  await add("C:\\Users\\me\\..\\secret.txt", "Nothing here.");
  await add("..", "Still nothing.");
  expect((await store.listDocuments()).map(({ name }) => name).toSorted()).toEqual([
    "document",
    "passwd.txt",
    "secret.txt",
  ]);
  expect((await readdir(folder)).toSorted().filter((name) => !name.startsWith("enginehouse.db"))).toEqual([
    "spool",
  ]);
});

test("cancelling a first upload takes its document with it; of an old one the version stays", async () => {
  const words = createWordEmbedder();
  const library = await openLibrary({ embedder: words });
  const { documentId: old } = await library.add("old.txt", "The old text.", { externalId: "old" });
  library.present.embedder = {
    ...words,
    embed: (_texts, _purpose, options) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener("abort", () => reject(new LlmError("aborted", "cancelled")));
      }),
  };
  const fresh = await library.ingestor.submit(Buffer.from(LONG), { name: "fresh.txt" });
  const newer = await library.ingestor.submit(Buffer.from("The newer text."), {
    name: "old.txt",
    externalId: "old",
  });
  await embeddingOf(library, fresh.jobId ?? "");

  expect(await library.ingestor.cancel(fresh.jobId ?? "")).toMatchObject({ status: "cancelled" });
  expect(await library.ingestor.cancel(newer.jobId ?? "")).toMatchObject({ status: "cancelled" });
  expect(await library.ingestor.cancel("job_unknown")).toBeUndefined();
  await library.ingestor.idle();
  expect((await library.store.listDocuments()).map(({ id }) => id)).toEqual([old]);
  expect(await library.store.readText(old)).toBe("The old text.");
  expect(await readdir(join(library.folder, "spool"))).toEqual([]);
});

test("a file that cannot be removed when its document is whole holds up no other one", async () => {
  const words = createWordEmbedder();
  const library = await openLibrary({ settings: { concurrency: 1 } });
  const spooled = join(library.folder, "spool");
  let stuck: string | undefined;
  library.present.embedder = {
    ...words,
    embed: async (...asked) => {
      if (stuck === undefined) {
        stuck = (await readdir(spooled)).find((name) => name === first.jobId);
        await rm(join(spooled, stuck ?? ""));
        // A folder of this name cannot be removed as a file.
        await mkdir(join(spooled, stuck ?? ""));
      }
      return words.embed(...asked);
    },
  };
  const completed: string[] = [];
  library.ingestor.subscribe(({ type, job }) => {
    if (type === "job.completed") completed.push(job.id);
  });
  const first = await library.ingestor.submit(Buffer.from("The first text."), { name: "a.txt" });
  const second = await library.ingestor.submit(Buffer.from("The second text."), { name: "b.txt" });
  await library.ingestor.idle();
  expect(stuck).toBe(first.jobId);
  expect(completed).toEqual([first.jobId, second.jobId]);
});

describe("the embedder", () => {
  test("that fails costs no document: words find it, and an indexing job says why", async () => {
    const failing = createWordEmbedder({
      embed: () => Promise.reject(new LlmError("unavailable", "the engine is gone")),
    });
    const library = await openLibrary({ embedder: failing, settings: { embedBackoffMs: 1 } });
    await library.add("a.txt", "The anchor is heavy.");
    const { hits, mode, warnings } = await library.searcher.search({ query: "anchor" });
    expect([hits.length, mode]).toEqual([1, "lexical"]);
    expect(warnings).toEqual([expect.stringContaining("the engine is gone")]);
    await library.ingestor.idle();
    const jobs = await library.store.listJobs();
    expect(jobs.find(({ kind }) => kind === "index")).toMatchObject({
      status: "failed",
      error: { code: "unavailable" },
    });

    library.present.embedder = createWordEmbedder();
    await library.ingestor.reindex();
    await library.ingestor.idle();
    expect((await library.searcher.search({ query: "anchor" })).mode).toBe("hybrid");
  });

  test("reads no window longer than its limit, by its own count", async () => {
    const seen: string[] = [];
    const count = (text: string) => Math.ceil(text.length / 2);
    const words = createWordEmbedder();
    const embedder = createWordEmbedder({
      maxTokens: 60,
      countTokens: async (text) => count(text),
      embed: async (texts, purpose, options) => {
        seen.push(...texts);
        return words.embed(texts, purpose, options);
      },
    });
    const { add, store } = await openLibrary({ embedder });
    const { documentId } = await add("ship.txt", LONG);
    expect(seen.length).toBeGreaterThan(20);
    for (const text of seen) expect(count(text)).toBeLessThanOrEqual(60);
    const chunks = await store.listChunks(documentId);
    for (const chunk of chunks) expect(chunk.text).toBe(LONG.slice(chunk.charStart, chunk.charEnd));
    expect((await store.listGenerations())[0]).toMatchObject({
      vectors: chunks.length,
      windows: chunks.length,
    });
  });

  test("that does not tell its limit is served all the same", async () => {
    const words = createWordEmbedder();
    const embedder = createWordEmbedder({
      maxTokens: undefined,
      embed: async (texts, purpose, options) => {
        if (texts.some((text) => text.length > 300)) throw new LlmError("input-too-long", "too long");
        return words.embed(texts, purpose, options);
      },
    });
    const { add, store } = await openLibrary({ embedder });
    await add("ship.txt", LONG);
    const [generation] = await store.listGenerations();
    expect(generation?.vectors).toBe(generation?.windows);
  });

  test("that changes gets a generation of its own; words find everything meanwhile", async () => {
    const library = await openLibrary({ embedder: createWordEmbedder() });
    await library.add("ship.txt", LONG);
    library.present.embedder = createWordEmbedder({ model: "other", dimensions: 32 });
    const meanwhile = await library.searcher.search({ query: "crew" });
    expect(meanwhile.mode).toBe("lexical");
    expect(meanwhile.warnings).toEqual([expect.stringContaining("double/other")]);
    await library.ingestor.reindex();
    await library.ingestor.idle();
    expect((await library.searcher.search({ query: "crew" })).mode).toBe("hybrid");
    const generations = await library.store.listGenerations();
    expect(generations).toMatchObject([{ model: "other", dimensions: 32, active: true }]);
    expect(generations[0]?.vectors).toBe(generations[0]?.windows);
  });

  test("that comes later is used for what is there already", async () => {
    const one = await openLibrary();
    await one.add("ship.txt", LONG);
    await one.close();
    const other = await openLibrary({ folder: one.folder, embedder: createWordEmbedder() });
    await other.ingestor.start();
    await other.ingestor.idle();
    expect((await other.searcher.search({ query: "crew" })).mode).toBe("hybrid");
  });
});

test("a folder is taken in whole, once, without hidden files and links", async () => {
  const root = await emptyFolder();
  await mkdir(join(root, "deep/.git"), { recursive: true });
  const files = {
    "a.txt": "Alpha.",
    "deep/b.md": "# Beta",
    "deep/photo.jpg": "x",
    "deep/.git/c.txt": "No.",
    "empty.txt": "",
    "deep/draft.txt": "Draft.",
    "noise.txt": "MZ\u0001\u0000\u0003\u0000\u0000\u0007",
  };
  for (const [path, text] of Object.entries(files)) await writeFile(join(root, path), text);
  await symlink(join(root, "a.txt"), join(root, "link.txt"));
  const { folder, ingestor, store } = await openLibrary();
  const add = () => ingestor.addFolder(root, { exclude: ["**/draft*"] });
  const first = await add();
  expect(first.submitted.map(({ path, status }) => [path, status])).toEqual([
    ["a.txt", "queued"],
    ["deep/b.md", "queued"],
  ]);
  expect(first.skipped).toEqual([
    { path: "empty.txt", reason: "it is empty" },
    { path: "noise.txt", reason: expect.stringContaining("its content is binary") },
  ]);
  expect(await readdir(join(folder, "spool"))).toHaveLength(2);
  await ingestor.idle();
  await writeFile(join(root, "a.txt"), "Alpha, changed.");
  expect((await add()).submitted.map(({ status }) => status)).toEqual(["queued", "unchanged"]);
  await ingestor.idle();
  expect(await store.listDocuments()).toHaveLength(2);
  await expect(ingestor.addFolder(join(root, "nowhere"))).rejects.toMatchObject({
    code: "invalid-request",
    status: 404,
  });
});

test("a job goes on after a restart, from the vectors that are there", async () => {
  const words = createWordEmbedder();
  let calls = 0;
  const slow = {
    ...words,
    embed: async (
      texts: readonly string[],
      purpose: "query" | "document",
      options?: { signal?: AbortSignal | undefined },
    ) => {
      if (++calls > 2)
        await new Promise((_resolve, reject) =>
          options?.signal?.addEventListener("abort", () => reject(new LlmError("aborted", "closing"))),
        );
      return words.embed(texts, purpose, options);
    },
  };
  const settings = { windowTokens: 20, windowOverlap: 2 };
  const one = await openLibrary({ embedder: slow, settings });
  const { jobId = "", documentId } = await one.ingestor.submit(Buffer.from(LONG), { name: "ship.txt" });
  while (calls < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  await one.close();

  const again = createWordEmbedder();
  const other = await openLibrary({ folder: one.folder, embedder: again, settings });
  expect(await other.ingestor.start()).toEqual({ resumed: 1 });
  await other.ingestor.idle();
  expect(await other.store.getJob(jobId)).toMatchObject({ status: "completed" });
  const windows = (await other.store.getDocument(documentId))?.version?.windows ?? 0;
  expect(again.embedded.length).toBe(windows - 32);
  expect(await other.store.readText(documentId)).toBe(LONG);
});

test("after a SIGKILL at any moment every acknowledged document is whole", async () => {
  const folder = await emptyFolder();
  const acknowledged = new Map<string, string>();
  for (let round = 0; round < 4; round++) {
    const child = spawn(
      process.execPath,
      [
        "--conditions=@enginehouse/source",
        join(import.meta.dirname, "ingest-child.ts"),
        folder,
        String(round),
      ],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let complaints = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
    const ended = new Promise((resolve) => child.once("close", resolve));
    let count = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const { documentId, text } = JSON.parse(line) as { documentId: string; text: string };
      acknowledged.set(documentId, text);
      if (++count === 8 + round * 5) setTimeout(() => child.kill("SIGKILL"), round * 7);
    }
    await ended;
    expect([child.signalCode, complaints]).toEqual(["SIGKILL", ""]);
  }

  const { ingestor, store } = await openLibrary({
    folder,
    embedder: createWordEmbedder(),
    settings: { windowTokens: 40, windowOverlap: 4 },
  });
  await ingestor.start();
  await ingestor.idle();
  expect(acknowledged.size).toBeGreaterThan(50);
  for (const [documentId, text] of acknowledged) {
    expect(await store.readText(documentId)).toBe(text);
    expect((await store.getDocument(documentId))?.job?.status).toBe("completed");
  }
  const [generation] = await store.listGenerations();
  expect(generation?.vectors).toBe(generation?.windows);
  expect(await readdir(join(folder, "spool"))).toEqual([]);
}, 120_000);

async function embeddingOf(library: Awaited<ReturnType<typeof openLibrary>>, jobId: string): Promise<void> {
  while ((await library.store.getJob(jobId))?.stage !== "embedding")
    await new Promise((resolve) => setTimeout(resolve, 5));
}

async function* endless(onSecond: () => void = () => {}): AsyncGenerator<Uint8Array> {
  for (let count = 0; count < 10_000; count++) {
    if (count === 2) onSecond();
    yield Buffer.alloc(100_000, "word ");
  }
}

test("on a full disk a job waits, and goes on when there is room", async () => {
  const { store, folder } = await openLibrary();
  let full = true;
  const noRoom = new LlmError("disk-full", "the database cannot grow", {
    operation: "store",
    hint: "Free some space.",
  });
  const refuseWhenFull =
    <Values extends readonly unknown[], Value>(write: (...values: Values) => Promise<Value>) =>
    (...values: Values) =>
      full ? Promise.reject(noRoom) : write(...values);
  const { progress, fail } = store.ingest;
  const ingest = { ...store.ingest, progress: refuseWhenFull(progress), fail: refuseWhenFull(fail) };
  const ingestor = createIngestor({
    store: { ...store, ingest },
    embedder: () => undefined,
    dataDir: folder,
    settings: { waitMs: 10 },
  });
  const submitted = await ingestor.submit(Buffer.from(LONG), { name: "ship.txt" });
  await until(() => ingestor.waiting().size > 0);
  expect(notesOfWaiting(ingestor.waiting())).toEqual([
    "1 job waits: the database cannot grow. Free some space.",
  ]);
  full = false;
  await ingestor.idle();
  expect(ingestor.waiting().size).toBe(0);
  expect(await store.getJob(submitted.jobId ?? "")).toMatchObject({ status: "completed" });
  await ingestor.close();
}, 20_000);
