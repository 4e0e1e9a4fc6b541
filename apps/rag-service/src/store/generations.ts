import type { Connection, Row } from "./database.ts";
import { number, text } from "./database.ts";
import type { Generation } from "./store.ts";

/**
 * Each generation has a plain table of vectors. Plain, so that the same file serves with and without the extension,
 * and so that a deletion gives its space back at once.
 */
export function createGenerations(database: Connection) {
  function listGenerations(): readonly Generation[] {
    return database.all("SELECT * FROM generations ORDER BY id").map((row) => readGeneration(database, row));
  }

  function generation(wanted: {
    readonly provider: string;
    readonly model: string;
    readonly dimensions: number;
  }): Generation {
    return database.transaction(() => {
      const { provider, model, dimensions } = wanted;
      const find = () =>
        database.get(
          "SELECT * FROM generations WHERE provider = ? AND model = ? AND dimensions = ?",
          provider,
          model,
          dimensions,
        );
      let row = find();
      if (row === undefined) {
        const first = database.get("SELECT 1 FROM generations") === undefined;
        const { lastKey } = database.run(
          "INSERT INTO generations (provider, model, dimensions, active) VALUES (?, ?, ?, ?)",
          provider,
          model,
          dimensions,
          first ? 1 : 0,
        );
        database.exec(`CREATE TABLE vectors_${lastKey} (
          window INTEGER PRIMARY KEY, collection INTEGER NOT NULL, document INTEGER NOT NULL, live INTEGER NOT NULL, vector BLOB NOT NULL
        ); CREATE INDEX vectors_${lastKey}_document ON vectors_${lastKey} (document, live)`);
        row = find();
      }
      return readGeneration(database, row ?? {});
    });
  }

  function activate(id: number): void {
    database.transaction(() => {
      for (const row of database.all("SELECT id FROM generations WHERE id <> ?", id)) {
        database.exec(`DROP TABLE vectors_${number(row["id"])}`);
      }
      database.run("DELETE FROM generations WHERE id <> ?", id);
      database.run("UPDATE generations SET active = 1 WHERE id = ?", id);
    });
  }

  return { listGenerations, generation, activate };
}

export function vectorTables(database: Connection): readonly string[] {
  return database.all("SELECT id FROM generations").map((row) => `vectors_${number(row["id"])}`);
}

function readGeneration(database: Connection, row: Row): Generation {
  const id = number(row["id"]);
  return {
    id,
    provider: text(row["provider"]),
    model: text(row["model"]),
    dimensions: number(row["dimensions"]),
    active: number(row["active"]) === 1,
    vectors: number(database.get(`SELECT count(*) AS n FROM vectors_${id} WHERE live = 1`)?.["n"]),
    windows: number(database.get("SELECT count(*) AS n FROM windows WHERE live = 1")?.["n"]),
  };
}
