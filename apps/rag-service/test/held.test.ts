/** Another program holds the database, or the disk is full: what has been acknowledged waits, and it is told. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { LlmError } from "@enginehouse/llm-core";
import { expect, onTestFinished, test } from "vitest";

import type { Job, Problem, Run } from "../src/api/schemas.ts";
import { createIngestor } from "../src/ingest/ingest.ts";
import { openRunStore } from "../src/runs/run-store.ts";
import { createRuns } from "../src/runs/runs.ts";
import { connect } from "../src/store/database.ts";
import { readFault } from "../src/store/fault.ts";
import { openStore } from "../src/store/open.ts";
import { createDouble, words } from "./double.ts";
import { emptyFolder, openLibrary } from "./library.ts";
import { json, serviceUnderTest, until } from "./under-test.ts";
import { createWordEmbedder } from "./word-embedder.ts";

const LONG = Array.from({ length: 120 }, (_none, at) => `Paragraph ${at} tells of the crew.`).join("\n\n");
const SHORT = { windowTokens: 16, windowOverlap: 0, waitMs: 10 };

/** Another program, with a connection of its own. */
function otherProgram(path: string) {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  onTestFinished(() => database.close());
  return { hold: () => database.exec("BEGIN IMMEDIATE"), release: () => database.exec("ROLLBACK") };
}

test("jobs wait while another program holds the database, and go on when it does not", async () => {
  const inner = createWordEmbedder();
  const submitted = Promise.withResolvers<undefined>();
  let batches = 0;
  const embedder = {
    ...inner,
    embed: (async (...values) => {
      await submitted.promise;
      batches += 1;
      if (batches === 3) other.hold();
      return inner.embed(...values);
    }) as typeof inner.embed,
  };
  const { store, ingestor, folder } = await openLibrary({ embedder, settings: SHORT, busyTimeoutMs: 10 });
  const other = otherProgram(join(folder, "enginehouse.db"));
  const ids: string[] = [];
  for (const name of ["one.txt", "two.txt", "three.txt"]) {
    const { jobId = "" } = await ingestor.submit(Buffer.from(`${name}\n\n${LONG}`), { name });
    ids.push(jobId);
  }
  submitted.resolve(undefined);
  await until(() => ingestor.waiting().size === 2);
  for (const problem of ingestor.waiting().values())
    expect(problem).toMatchObject({ code: "unavailable", retryable: true, operation: "store" });
  expect(await store.listJobs({ status: "running" })).toContainEqual(
    expect.objectContaining({ stage: "embedding" }),
  );
  await expect(ingestor.reindex()).rejects.toMatchObject({ code: "unavailable" });

  other.release();
  await ingestor.idle();
  expect(ingestor.waiting().size).toBe(0);
  for (const id of ids) expect(await store.getJob(id)).toMatchObject({ status: "completed" });
  const [generation] = await store.listGenerations();
  expect(generation?.vectors).toBe(generation?.windows);
});

test("a job that waits can end with the service, and goes on at the next start", async () => {
  const first = await openLibrary({ settings: SHORT, busyTimeoutMs: 10 });
  const other = otherProgram(join(first.folder, "enginehouse.db"));
  const submitting = first.ingestor.submit(Buffer.from(LONG), { name: "ship.txt" });
  const { jobId = "" } = await submitting.finally(other.hold);
  await until(() => first.ingestor.waiting().has(jobId));
  await first.close();
  other.release();
  const second = await openLibrary({ folder: first.folder, settings: SHORT });
  await second.ingestor.start();
  await second.ingestor.idle();
  expect(await second.store.getJob(jobId)).toMatchObject({ status: "completed" });
});

test("a failure that cannot be written is written later: no job is left running", async () => {
  const { store, folder } = await openLibrary();
  let refused = 0;
  const ingest: typeof store.ingest = {
    ...store.ingest,
    stage: () => Promise.reject(new Error("something broke")),
    async fail(jobId, error) {
      refused += 1;
      if (refused <= 3) throw new LlmError("provider-internal", "disk I/O error", { operation: "store" });
      await store.ingest.fail(jobId, error);
    },
  };
  const ingestor = createIngestor({
    store: { ...store, ingest },
    embedder: () => undefined,
    dataDir: folder,
    settings: { waitMs: 1 },
  });
  const ended: string[] = [];
  ingestor.subscribe((event) => void (event.type === "job.failed" && ended.push(event.job.id)));
  const { jobId = "" } = await ingestor.submit(Buffer.from(LONG), { name: "ship.txt" });
  await ingestor.idle();
  expect(refused).toBe(4);
  expect(ended).toEqual([jobId]);
  expect(await store.getJob(jobId)).toMatchObject({
    status: "failed",
    error: { message: "something broke" },
  });
  await ingestor.close();
});

test("an embedder that was closed fails the indexing job instead of leaving it running", async () => {
  const closed = new LlmError("shut-down", "the provider was closed", { provider: "double" });
  const embedder = { ...createWordEmbedder(), embed: () => Promise.reject(closed) };
  const library = await openLibrary({ settings: SHORT });
  await library.add("ship.txt", LONG);
  library.present.embedder = embedder;
  const { jobId } = await library.ingestor.reindex();
  await library.ingestor.idle();
  expect(await library.store.getJob(jobId)).toMatchObject({ status: "failed", error: { code: "shut-down" } });
});

test("requests, jobs and the notes say that another program holds the database", async () => {
  const { service, request, reported, close } = await serviceUnderTest({
    plugins: [createDouble("house", [{ id: "steady", speak: words("Yes.") }])],
    ingest: { waitMs: 10 },
    busyTimeoutMs: 10,
  });
  onTestFinished(close);
  const other = otherProgram(join(service.settings.dataDir, "enginehouse.sqlite"));
  const submitting = service.ingestor.submit(Buffer.from(LONG), { name: "ship.txt" });
  const { jobId = "" } = await submitting.finally(other.hold);
  await until(() => service.ingestor.waiting().has(jobId));

  const refused = await request("/api/v1/collections", json("POST", { name: "Ships" }));
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("5");
  const problem = (await refused.json()) as Problem;
  expect(problem).toMatchObject({ code: "unavailable", retryable: true, retryAfterMs: 5_000 });
  expect(problem.title).toBe("The database is held by another program");
  expect(problem.detail).toContain("another program holds the database");
  expect(problem.hint).toContain("Close the program");

  const ready = await request("/readyz");
  expect(ready.status).toBe(200);
  const { notes } = (await ready.json()) as { notes: string[] };
  expect(notes).toContainEqual(
    expect.stringMatching(/^1 job waits: another program holds the database.*Close/),
  );
  const job = (await (await request(`/api/v1/jobs/${jobId}`)).json()) as Job;
  expect(job).toMatchObject({ waitsFor: { code: "unavailable", status: 503 } });
  const { jobs } = (await (await request("/api/v1/jobs")).json()) as { jobs: Job[] };
  expect(jobs[0]?.waitsFor).toMatchObject({ code: "unavailable" });
  const run = (await (
    await request("/api/v1/answer", json("POST", { question: "Who is the crew?", stream: false }))
  ).json()) as Run;
  expect(run.notices).toMatchObject([
    { code: "still-indexing", hint: expect.stringContaining("Close the program") as string },
  ]);

  other.release();
  await service.ingestor.idle();
  const done = (await (await request(`/api/v1/jobs/${jobId}`)).json()) as Job;
  expect(done.status).toBe("completed");
  expect(done.waitsFor).toBeUndefined();
  expect(((await (await request("/readyz")).json()) as { notes: string[] }).notes.join(" ")).not.toMatch(
    /wait/,
  );
  expect(reported).toEqual([]);
});

test("an answer that cannot be saved now is no bug, and it is told until one can", async () => {
  const path = join(await emptyFolder(), "runs.sqlite");
  const store = openRunStore(path, 10);
  onTestFinished(() => store.close());
  const other = otherProgram(path);
  const reported: string[] = [];
  const runs = createRuns(store, (line) => reported.push(line));
  const answer = () => Promise.resolve({ mode: "quote" as const });
  const ask = async () =>
    runs.finished(runs.start({ question: "Who?", detach: true } as never, answer).runId);
  other.hold();
  expect((await ask()).status).toBe("completed");
  expect(runs.unsaved()).toMatchObject({ code: "unavailable" });
  expect(reported).toEqual([]);
  other.release();
  await ask();
  expect(runs.unsaved()).toBeUndefined();
});

test("a database that another program holds at the start is called that", async () => {
  const library = await openLibrary({ busyTimeoutMs: 10 });
  const path = join(library.folder, "enginehouse.db");
  await library.close();
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE other (x); COMMIT");
  const opened = openLibrary({ folder: library.folder, busyTimeoutMs: 10 });
  await expect(opened).rejects.toMatchObject({ code: "unavailable", retryable: true });
});

test("who asks next of a held database does not wait as long again, until it is free", async () => {
  const path = join(await emptyFolder(), "alone.db");
  const database = connect(path, 40);
  onTestFinished(() => database.close());
  const other = otherProgram(path);
  // A comment of its own: a pragma's value is read when its statement is prepared.
  const patience = (when: string) => database.get(`PRAGMA busy_timeout /* ${when} */`)?.["timeout"];
  const write = () => database.run("INSERT OR REPLACE INTO settings (key, value) VALUES ('a', '1')");
  other.hold();
  expect(patience("at first")).toBe(40);
  expect(write).toThrow("database is locked");
  expect(patience("after a wait")).toBe(4);
  expect(() => database.transaction(write)).toThrow("database is locked");
  other.release();
  database.transaction(write);
  expect(patience("at last")).toBe(40);
});

test("the fault of a held database has its own code; what is not known keeps the other", () => {
  const locked = Object.assign(new Error("database is locked"), { errcode: 261 });
  expect(readFault(locked)).toMatchObject({ code: "unavailable", retryAfterMs: 5_000 });
  expect(readFault(new Error("no such table: x")).code).toBe("provider-internal");
});

test("a job that meets a held database once goes on, though its failure could have been written", async () => {
  const folder = await emptyFolder();
  const store = await openStore({ path: join(folder, "enginehouse.db") });
  let refusals = 0;
  const commit: typeof store.ingest.commit = async (versionId) => {
    refusals += 1;
    if (refusals === 1) throw new LlmError("unavailable", "held", { operation: "store" });
    return store.ingest.commit(versionId);
  };
  const ingestor = createIngestor({
    store: { ...store, ingest: { ...store.ingest, commit } },
    embedder: () => undefined,
    dataDir: folder,
    settings: { waitMs: 10 },
  });
  onTestFinished(async () => {
    await ingestor.close();
    await store.close();
  });
  const { documentId } = await ingestor.submit(Buffer.from("The anchor is heavy."), { name: "a.txt" });
  await ingestor.idle();
  expect(await store.getDocument(documentId)).toMatchObject({ job: { status: "completed" } });
  expect(refusals).toBe(2);
});
