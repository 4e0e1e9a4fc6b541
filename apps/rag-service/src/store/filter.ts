import { fault } from "./fault.ts";
import type { DocumentFilter } from "./store.ts";

/** The condition of a filter over `d` (documents) and `c` (collections). */
export function documentFilter(filter: DocumentFilter): {
  readonly where: string;
  readonly values: readonly string[];
} {
  const parts: string[] = ["1"];
  const values: string[] = [];
  if (filter.collectionId !== undefined) {
    parts.push("c.id = ?");
    values.push(filter.collectionId);
  }
  if (filter.documentIds !== undefined) {
    parts.push("d.id IN (SELECT value FROM json_each(?))");
    values.push(JSON.stringify(filter.documentIds));
  }
  if (filter.externalIdPrefix !== undefined) {
    parts.push("substr(d.external_id, 1, length(?)) = ?");
    values.push(filter.externalIdPrefix, filter.externalIdPrefix);
  }
  return { where: parts.join(" AND "), values };
}

export function unknownCollection(id: string): Error {
  return fault(
    "invalid-request",
    `there is no collection "${id}"`,
    "List the collections, or create it first.",
    404,
  );
}
