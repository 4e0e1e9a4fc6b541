import type { Connection, Row } from "./database.ts";
import { json, number, text } from "./database.ts";
import type { Candidate, Chunk, PageStart, Passage } from "./store.ts";

/** Texts lie in pieces of this many UTF-16 units, so that reading a passage of a large document stays small. */
const PIECE = 16_384;

/** The texts of documents and the passages in them. */
export function createPassages(database: Connection) {
  // Versions never change and their keys are never used again.
  const known = new Map<number, readonly PageStart[]>();

  function readText(
    documentId: string,
    range?: { readonly start: number; readonly end: number },
  ): string | undefined {
    const row = database.get(
      "SELECT v.key, v.characters FROM documents d JOIN versions v ON v.key = d.version WHERE d.id = ?",
      documentId,
    );
    if (row === undefined) return undefined;
    return sliceText(number(row["key"]), range?.start ?? 0, range?.end ?? number(row["characters"]));
  }

  /** Exactly `text.slice(start, end)` of the whole text. */
  function sliceText(version: number, start: number, end: number): string {
    let result = "";
    const from = Math.max(0, start);
    const rows = database.all(
      `SELECT start, text FROM texts WHERE version = ?1 AND start < ?3
       AND start >= coalesce((SELECT max(start) FROM texts WHERE version = ?1 AND start <= ?2), 0) ORDER BY start`,
      version,
      from,
      end,
    );
    for (const row of rows) {
      const at = number(row["start"]);
      result += text(row["text"]).slice(Math.max(0, from - at), Math.max(0, end - at));
    }
    return result;
  }

  function writeText(version: number, whole: string): void {
    for (let start = 0; start < whole.length;) {
      let end = Math.min(whole.length, start + PIECE);
      if (end < whole.length && isHighSurrogate(whole.charCodeAt(end - 1))) end--;
      database.run(
        "INSERT INTO texts (version, start, text) VALUES (?, ?, ?)",
        version,
        start,
        whole.slice(start, end),
      );
      start = end;
    }
  }

  function readPages(documentId: string): readonly PageStart[] {
    const row = database.get(
      "SELECT v.pages FROM documents d JOIN versions v ON v.key = d.version WHERE d.id = ?",
      documentId,
    );
    return json<readonly PageStart[]>(row?.["pages"]) ?? [];
  }

  function listChunks(
    documentId: string,
    page: { readonly from?: number; readonly limit?: number } = {},
  ): readonly Chunk[] {
    const from = page.from ?? 0;
    return database
      .all(
        `${WINDOWS} WHERE d.id = ? AND w.live = 1 ORDER BY w.start LIMIT ? OFFSET ?`,
        documentId,
        page.limit ?? -1,
        from,
      )
      .map((row, at) => ({ ...readPassage(row), index: from + at }));
  }

  function getChunk(chunkId: string): Chunk | undefined {
    const at = chunkId.lastIndexOf(".");
    const row = database.get(
      `${WINDOWS} WHERE v.id = ? AND w.start = ? AND w.live = 1`,
      chunkId.slice(0, at),
      Number(chunkId.slice(at + 1)),
    );
    if (row === undefined) return undefined;
    const before = database.get(
      "SELECT count(*) AS n FROM windows WHERE version = ? AND start < ?",
      number(row["version"]),
      number(row["start"]),
    );
    return { ...readPassage(row), index: number(before?.["n"]) };
  }

  function passageByKey(key: number): Omit<Candidate, "lexical" | "dense"> | undefined {
    const row = database.get(`${WINDOWS} WHERE w.key = ?`, key);
    return (
      row && {
        passage: readPassage(row),
        collectionId: text(row["c_id"]),
        name: text(row["name"]),
        title: text(row["title"]),
      }
    );
  }

  function pageStarts(version: number): readonly PageStart[] {
    let pages = known.get(version);
    if (pages === undefined) {
      pages =
        json<readonly PageStart[]>(
          database.get("SELECT pages FROM versions WHERE key = ?", version)?.["pages"],
        ) ?? [];
      if (known.size > 100) known.clear();
      known.set(version, pages);
    }
    return pages;
  }

  function readPassage(row: Row): Passage {
    const charStart = number(row["start"]);
    const charEnd = number(row["end"]);
    const pages = pagesOf(pageStarts(number(row["version"])), charStart, charEnd);
    return {
      id: `${text(row["v_id"])}.${charStart}`,
      documentId: text(row["d_id"]),
      versionId: text(row["v_id"]),
      charStart,
      charEnd,
      text: sliceText(number(row["version"]), charStart, charEnd),
      page: pages[0]?.page,
      pages,
      headingPath: json<readonly string[]>(row["headings"]) ?? [],
      parent: { charStart: number(row["parent_start"]), charEnd: number(row["parent_end"]) },
    };
  }

  return { readText, sliceText, writeText, readPages, listChunks, getChunk, passageByKey };
}

const WINDOWS = `
  SELECT w.key, w.version, w.start, w.end, w.parent_start, w.parent_end, w.headings, v.id AS v_id, v.title, d.id AS d_id, d.name, c.id AS c_id
  FROM windows w JOIN versions v ON v.key = w.version JOIN documents d ON d.key = w.document JOIN collections c ON c.key = w.collection`;

/** The pages that a range touches. */
function pagesOf(pages: readonly PageStart[], start: number, end: number): readonly PageStart[] {
  return pages.filter((page, at) => page.charStart < end && (pages[at + 1]?.charStart ?? Infinity) > start);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
