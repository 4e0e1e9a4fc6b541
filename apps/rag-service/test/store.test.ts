import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { describe, expect, test } from "vitest";

import { connect } from "../src/store/database.ts";
import { openStore } from "../src/store/open.ts";
import { createVectorSearch } from "../src/store/vectors.ts";
import { emptyFolder, openLibrary } from "./library.ts";
import { createWordEmbedder } from "./word-embedder.ts";

const EXAMPLES = new URL("../examples/", import.meta.url);

test("a collection is made, renamed and deleted with its documents; the default one stays", async () => {
  const { store, add } = await openLibrary();
  const made = await store.createCollection({ name: "Ship's papers" });
  expect(made).toMatchObject({ id: "ship-s-papers", name: "Ship's papers", documents: 0 });
  expect((await store.createCollection({ name: "Ship's papers" })).id).toBe("ship-s-papers-2");
  await add("a.txt", "Rope and tar.", { collectionId: made.id });
  await add("b.txt", "Sail and mast.");
  expect((await store.renameCollection(made.id, "Papers")).name).toBe("Papers");

  expect(await store.deleteCollection(made.id)).toEqual({ documents: 1 });
  expect(await store.deleteCollection("default")).toEqual({ documents: 1 });
  expect((await store.listCollections()).map(({ id }) => id)).toEqual(["default", "ship-s-papers-2"]);
  await expect(store.deleteCollection(made.id)).rejects.toMatchObject({
    code: "invalid-request",
    status: 404,
  });
});

test("settings are kept over a restart", async () => {
  const { store, folder, close } = await openLibrary();
  await store.writeSetting("active", { model: "a/b" });
  await close();
  const again = await openLibrary({ folder });
  expect(await again.store.readSetting("active")).toEqual({ model: "a/b" });
  await again.store.writeSetting("active", undefined);
  expect(await again.store.readSetting("active")).toBeUndefined();
});

describe("a database that is not ours to change", () => {
  test("of a newer schema is refused with what to do, and left as it was", async () => {
    const path = join(await emptyFolder(), "newer.db");
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE future (x); PRAGMA user_version = 99");
    database.close();
    const before = await readFile(path);
    await expect(openStore({ path })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("schema 99"),
      hint: expect.stringContaining("ENGINEHOUSE_DATA_DIR"),
    });
    const tables = new DatabaseSync(path).prepare("SELECT name FROM sqlite_schema").all();
    expect(tables).toEqual([{ name: "future" }]);
    expect(before.length).toBeGreaterThan(0);
  });

  test("of another program is refused", async () => {
    const path = join(await emptyFolder(), "other.db");
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE bookmarks (x)");
    database.close();
    await expect(openStore({ path })).rejects.toMatchObject({
      code: "invalid-settings",
      message: expect.stringContaining("not one of this service"),
    });
  });

  test("that is no database is refused", async () => {
    const path = join(await emptyFolder(), "noise.db");
    await import("node:fs/promises").then(({ writeFile }) =>
      writeFile(path, "this is no database".repeat(100)),
    );
    await expect(openStore({ path })).rejects.toMatchObject({ code: "invalid-settings" });
  });
});

test("what is acknowledged stands in a write-ahead log, beside which the search goes on reading", async () => {
  const { folder, add } = await openLibrary();
  await add("a.txt", "Rope and tar.");
  const database = new DatabaseSync(join(folder, "enginehouse.db"), { readOnly: true });
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  database.close();
});

test("where sqlite-vec cannot be loaded, the scan in JavaScript takes its place and says why", async () => {
  const database = connect(join(await emptyFolder(), "alone.db"));
  const loadExtension = (): void => {
    throw new Error("no such file: vec0\nand more");
  };
  const { name } = createVectorSearch({ ...database, loadExtension }, "auto");
  expect(name).toBe("exact scan (sqlite-vec cannot be loaded: no such file: vec0)");
  database.close();
});

test("the exact scan in JavaScript finds what sqlite-vec finds, also after changes", async () => {
  const embedder = createWordEmbedder();
  const library = await openLibrary({ embedder, settings: { windowTokens: 60, windowOverlap: 8 } });
  const scan = await openStore({ path: join(library.folder, "enginehouse.db"), vectorSearch: "scan" });
  const names = ["harbour-handbook.txt", "recorder-manual.md"];
  for (const name of names) await library.add(name, await readFile(new URL(name, EXAMPLES)));
  expect((await library.store.status()).vectorSearch).toBe("sqlite-vec 0.1.9");
  expect((await scan.status()).vectorSearch).toContain("exact scan");

  const compare = async () => {
    const documents = await library.store.listDocuments();
    for (const query of ["the lamp of the pier", "battery and clock", "fees for a night"]) {
      const [vector = new Float32Array()] = await embedder.embed([query], "query");
      const length = Math.hypot(...vector);
      const unit = vector.map((value) => value / length);
      for (const documentIds of [undefined, documents.slice(0, 1).map(({ id }) => id)]) {
        const request = {
          terms: ["lamp", "clock"],
          vector: unit,
          collectionIds: ["default"],
          documentIds,
          limit: 5,
        };
        const [one, other] = await Promise.all([
          library.store.searchCandidates(request),
          scan.searchCandidates(request),
        ]);
        const flat = (found: typeof one) =>
          found.candidates
            .map(({ passage, dense, lexical }) => `${passage.id} ${dense?.toFixed(5)} ${lexical?.toFixed(5)}`)
            .toSorted();
        expect(flat(other)).toEqual(flat(one));
        expect(one.candidates.length).toBeGreaterThan(4);
        for (const { dense } of one.candidates) expect(dense).toBeTypeOf("number");
      }
    }
  };
  await compare();
  const [gone] = await library.store.listDocuments();
  await library.store.deleteDocuments({ documentIds: [gone?.id ?? ""] });
  await library.add("garden.txt", "The lamp of the garden has a clock. ".repeat(40));
  await compare();
  await scan.close();
});

test("deleting by filter takes text, windows, words, vectors and jobs in one go", async () => {
  const library = await openLibrary({ embedder: createWordEmbedder() });
  await library.add("keep.txt", "The keeper keeps the key.");
  await library.add("one.txt", "The first goes.", { externalId: "folder#one" });
  await library.add("two.txt", "The second goes, too.", { externalId: "folder#two" });
  expect((await library.store.deleteDocuments({ externalIdPrefix: "folder#" })).documents).toBe(2);
  await expect(library.store.deleteDocuments({})).rejects.toMatchObject({ code: "invalid-request" });

  const database = new DatabaseSync(join(library.folder, "enginehouse.db"));
  const count = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"];
  for (const table of ["documents", "versions", "texts", "windows", "lexical", "vectors_1", "jobs"])
    expect([table, count(table)]).toEqual([table, 1]);
  database.close();
  const { hits } = await library.searcher.search({ query: "first second goes" });
  expect(hits.map(({ name }) => name)).not.toContain("one.txt");
});

test("a text comes back as it is, whole or in part, wherever the part begins", async () => {
  const { store, add } = await openLibrary();
  const text = Array.from({ length: 4000 }, (_none, at) => `${at}😀é`).join(" ");
  const { documentId } = await add("long.txt", text);
  expect(await store.readText(documentId)).toBe(text);
  for (const [start, end] of [
    [0, 5],
    [16_380, 16_390],
    [16_383, 16_384],
    [30_000, 50_000],
    [text.length - 3, text.length + 9],
  ] as const) {
    expect(await store.readText(documentId, { start, end })).toBe(text.slice(start, end));
  }
  const chunks = await store.listChunks(documentId);
  for (const chunk of chunks) expect(chunk.text).toBe(text.slice(chunk.charStart, chunk.charEnd));
  const third = chunks[2];
  expect(await store.getChunk(third?.id ?? "")).toEqual(third);
  expect(await store.listChunks(documentId, { from: 2, limit: 1 })).toEqual([third]);
  expect(await store.readText("doc_unknown")).toBeUndefined();
});

test("two services on one file do not lose each other's documents", async () => {
  const one = await openLibrary();
  const other = await openLibrary({ folder: one.folder });
  const texts = Array.from({ length: 12 }, (_none, at) => `Document number ${at} of the shared folder.`);
  await Promise.all(
    texts.map((text, at) =>
      (at % 2 === 0 ? one : other).ingestor.submit(Buffer.from(text), { name: `${at}.txt` }),
    ),
  );
  await Promise.all([one.ingestor.idle(), other.ingestor.idle()]);
  const documents = await one.store.listDocuments();
  expect(documents.map(({ version }) => version?.characters)).toHaveLength(12);
  expect(documents.every(({ version }) => version !== undefined)).toBe(true);
});

test("after it was closed, a call says so", async () => {
  const { store, close } = await openLibrary();
  await close();
  await expect(store.listDocuments()).rejects.toMatchObject({ code: "shut-down" });
  await close();
});
