import type { Connection } from "./database.ts";
import { number } from "./database.ts";
import { fault } from "./fault.ts";
import type { createPassages } from "./passages.ts";
import type { Candidate, SearchCandidates, SearchCandidatesRequest } from "./store.ts";
import type { VectorSearch } from "./vectors.ts";

/** Both lists of a search, and both scores of everything that is on either. */
export function createCandidateSearch(
  database: Connection,
  passages: ReturnType<typeof createPassages>,
  vectors: VectorSearch,
) {
  function searchCandidates(request: SearchCandidatesRequest): SearchCandidates {
    const collections = request.collectionIds && keys("collections", request.collectionIds);
    const documents = request.documentIds && keys("documents", request.documentIds);
    const match = request.terms.map(quoted).join(" OR ");
    const generation = activeGeneration();

    const lexical = new Map<number, number>();
    const dense = new Map<number, number>();
    if (match !== "") {
      const scope = { collections, documents, limit: request.limit };
      for (const [window, score] of searchWords(match, scope)) lexical.set(window, score);
    }
    const { vector } = request;
    if (vector !== undefined && generation !== undefined) {
      if (vector.length !== generation.dimensions) {
        throw fault(
          "invalid-request",
          `the vector has ${vector.length} dimensions, the index ${generation.dimensions}`,
        );
      }
      const scope = { collections, documents, limit: request.limit };
      for (const [window, score] of vectors.nearest(generation.id, vector, scope)) dense.set(window, score);
      const onlyWords = [...lexical.keys()].filter((window) => !dense.has(window));
      for (const [window, score] of vectors.scores(generation.id, vector, onlyWords))
        dense.set(window, score);
    }
    const onlyDense = [...dense.keys()].filter((window) => !lexical.has(window));
    if (match !== "" && onlyDense.length > 0) {
      for (const [window, score] of scoreWords(match, onlyDense)) lexical.set(window, score);
    }

    const candidates: Candidate[] = [];
    for (const window of new Set([...lexical.keys(), ...dense.keys()])) {
      const found = passages.passageByKey(window);
      if (found !== undefined)
        candidates.push({ ...found, lexical: lexical.get(window), dense: dense.get(window) });
    }
    return { candidates, ...wordFrequencies(request.terms) };
  }

  function searchWords(
    match: string,
    scope: {
      readonly collections: readonly number[] | undefined;
      readonly documents: readonly number[] | undefined;
      readonly limit: number;
    },
  ): readonly (readonly [number, number])[] {
    const inside =
      scope.collections === undefined && scope.documents === undefined
        ? ""
        : `AND rowid IN (SELECT key FROM windows WHERE live = 1
           AND (?2 IS NULL OR collection IN (SELECT value FROM json_each(?2)))
           AND (?3 IS NULL OR document IN (SELECT value FROM json_each(?3))))`;
    const values = inside === "" ? [] : [list(scope.collections), list(scope.documents)];
    return database
      .all(
        `SELECT rowid, ${BM25} AS score FROM lexical WHERE lexical MATCH ?1 ${inside} ORDER BY score LIMIT ${scope.limit}`,
        match,
        ...values,
      )
      .map((row) => [number(row["rowid"]), -number(row["score"])]);
  }

  function scoreWords(match: string, windows: readonly number[]): readonly (readonly [number, number])[] {
    return database
      .all(
        `SELECT rowid, ${BM25} AS score FROM lexical WHERE lexical MATCH ? AND rowid IN (SELECT value FROM json_each(?))`,
        match,
        JSON.stringify(windows),
      )
      .map((row) => [number(row["rowid"]), -number(row["score"])]);
  }

  function wordFrequencies(terms: readonly string[]) {
    return {
      frequencies: terms.map((term) =>
        number(database.get("SELECT count(*) AS n FROM lexical WHERE lexical MATCH ?", quoted(term))?.["n"]),
      ),
      windows: number(database.get("SELECT count(*) AS n FROM windows WHERE live = 1")?.["n"]),
    };
  }

  function activeGeneration(): { readonly id: number; readonly dimensions: number } | undefined {
    const row = database.get("SELECT id, dimensions FROM generations WHERE active = 1");
    return row && { id: number(row["id"]), dimensions: number(row["dimensions"]) };
  }

  function keys(table: "collections" | "documents", ids: readonly string[]): readonly number[] {
    return database
      .all(`SELECT key FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`, JSON.stringify(ids))
      .map((row) => number(row["key"]));
  }

  return { searchCandidates, wordFrequencies };
}

/** A heading that matches says less than the text itself. */
const BM25 = "bm25(lexical, 0.4, 1.0)";

/** A word as a string of FTS5, in which nothing is syntax. */
function quoted(term: string): string {
  return `"${term.replaceAll('"', '""')}"`;
}

function list(values: readonly number[] | undefined): string | null {
  return values === undefined ? null : JSON.stringify(values);
}
