import { getLoadablePath } from "sqlite-vec";

import { dot } from "../retrieve/dot.ts";
import type { Connection } from "./database.ts";
import { number } from "./database.ts";

export interface Scope {
  readonly collections: readonly number[] | undefined;
  readonly documents: readonly number[] | undefined;
  readonly limit: number;
}

/** Exact nearest neighbours among the vectors of one generation: pairs of window and cosine. */
export interface VectorSearch {
  readonly name: string;
  nearest(generation: number, vector: Float32Array, scope: Scope): readonly (readonly [number, number])[];
  scores(
    generation: number,
    vector: Float32Array,
    windows: readonly number[],
  ): readonly (readonly [number, number])[];
}

/** sqlite-vec where it can be loaded, else the same in plain JavaScript: one answer, two speeds. */
export function createVectorSearch(database: Connection, wanted: "auto" | "scan"): VectorSearch {
  if (wanted === "scan") return createScan(database, "exact scan (asked for)");
  try {
    database.loadExtension(getLoadablePath());
    const version = String(database.get("SELECT vec_version() AS v")?.["v"]);
    return createExtensionSearch(database, `sqlite-vec ${version.replace(/^v/, "")}`);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return createScan(database, `exact scan (sqlite-vec cannot be loaded: ${reason})`);
  }
}

function createExtensionSearch(database: Connection, name: string): VectorSearch {
  return {
    name,
    nearest(generation, vector, scope) {
      const rows = database.all(
        `SELECT window, vec_distance_L2(vector, ?1) AS distance FROM vectors_${generation} WHERE live = 1
         ${scope.collections === undefined ? "AND ?2 IS NULL" : "AND collection IN (SELECT value FROM json_each(?2))"}
         ${scope.documents === undefined ? "AND ?3 IS NULL" : "AND document IN (SELECT value FROM json_each(?3))"}
         ORDER BY distance, window LIMIT ?4`,
        bytes(vector),
        list(scope.collections),
        list(scope.documents),
        scope.limit,
      );
      return rows.map((row) => [number(row["window"]), cosine(number(row["distance"]))]);
    },
    scores(generation, vector, windows) {
      const rows = database.all(
        `SELECT window, vec_distance_L2(vector, ?) AS distance FROM vectors_${generation}
         WHERE live = 1 AND window IN (SELECT value FROM json_each(?))`,
        bytes(vector),
        JSON.stringify(windows),
      );
      return rows.map((row) => [number(row["window"]), cosine(number(row["distance"]))]);
    },
  };
}

interface Held {
  readonly vector: Float32Array;
  readonly collection: number;
  readonly document: number;
}

/** Keeps the vectors in memory and reads only what is new when the file has changed. */
function createScan(database: Connection, name: string): VectorSearch {
  const generations = new Map<number, { readonly held: Map<number, Held>; seen: number }>();

  function vectorsOf(generation: number): ReadonlyMap<number, Held> {
    const seen = number(database.get("PRAGMA data_version")?.["data_version"]);
    let known = generations.get(generation);
    if (known?.seen === seen) return known.held;
    if (known === undefined) {
      generations.clear();
      known = { held: new Map(), seen };
      generations.set(generation, known);
    }
    known.seen = seen;
    const gone = new Set(known.held.keys());
    const fresh: number[] = [];
    for (const row of database.each(`SELECT window FROM vectors_${generation} WHERE live = 1`)) {
      const window = number(row["window"]);
      if (!gone.delete(window)) fresh.push(window);
    }
    for (const window of gone) known.held.delete(window);
    for (const window of fresh) {
      const row = database.get(
        `SELECT collection, document, vector FROM vectors_${generation} WHERE window = ?`,
        window,
      );
      const blob = row?.["vector"];
      if (row === undefined || !(blob instanceof Uint8Array)) continue;
      known.held.set(window, {
        vector: new Float32Array(blob.buffer, blob.byteOffset, blob.byteLength / 4),
        collection: number(row["collection"]),
        document: number(row["document"]),
      });
    }
    return known.held;
  }

  return {
    name,
    nearest(generation, vector, scope) {
      const collections = scope.collections && new Set(scope.collections);
      const documents = scope.documents && new Set(scope.documents);
      const found: (readonly [number, number])[] = [];
      for (const [window, held] of vectorsOf(generation)) {
        if (collections?.has(held.collection) === false || documents?.has(held.document) === false) continue;
        found.push([window, dot(vector, held.vector)]);
      }
      return found.toSorted((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, scope.limit);
    },
    scores(generation, vector, windows) {
      const held = vectorsOf(generation);
      return windows.flatMap((window) => {
        const known = held.get(window);
        return known === undefined ? [] : [[window, dot(vector, known.vector)] as const];
      });
    },
  };
}

/** Of unit vectors at this Euclidean distance. */
function cosine(distance: number): number {
  return 1 - (distance * distance) / 2;
}

function bytes(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

function list(values: readonly number[] | undefined): string | null {
  return values === undefined ? null : JSON.stringify(values);
}
