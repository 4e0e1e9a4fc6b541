import { counted } from "../figures.ts";
import { createResource } from "./resource.ts";
import { listCollections } from "./service.ts";

export interface LibraryCount {
  /** All but those of which nothing could be read. */
  readonly documents: number;
  /** Those that can be asked by now. */
  readonly ready: number;
  readonly failed: number;
}

/** How many documents there are, in all collections. */
export const libraryCount = createResource(async (): Promise<LibraryCount> => {
  const { collections } = await listCollections();
  const sum = (key: "documents" | "ready" | "failed") =>
    collections.reduce((total, collection) => total + collection[key], 0);
  const failed = sum("failed");
  return { documents: sum("documents") - failed, ready: sum("ready"), failed };
});

/** "12 documents, 1 failed"; a file that could not be read is no document that could be asked. */
export function countText({ documents, failed }: Pick<LibraryCount, "documents" | "failed">): string {
  if (failed === 0) return counted(documents, "document");
  return documents === 0
    ? `${counted(failed, "file")} failed`
    : `${counted(documents, "document")}, ${failed} failed`;
}
