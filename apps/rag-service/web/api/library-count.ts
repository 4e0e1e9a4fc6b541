import { createResource } from "./resource.ts";
import { listCollections } from "./service.ts";

/** How many documents there are, in all collections. */
export const libraryCount = createResource(async () => {
  const { collections } = await listCollections();
  return collections.reduce((sum, { documents }) => sum + documents, 0);
});
