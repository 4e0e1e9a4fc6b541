/** Documents that come with the service, offered on the first start. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { z } from "@hono/zod-openapi";

import { notFound } from "./api/problem.ts";
import type { DocumentAccepted, Example } from "./api/schemas.ts";
import type { Ingestor } from "./ingest/ingest.ts";
import type { Store } from "./store/store.ts";

export interface Examples {
  list(collectionId?: string): Promise<Example[]>;
  /** All of them, or those named. */
  add(ids: readonly string[] | undefined, collectionId: string): Promise<DocumentAccepted[]>;
}

const ManifestSchema = z.array(
  z.object({
    id: z.string(),
    file: z.string().regex(/^[\w.-]+$/),
    title: z.string(),
    description: z.string(),
    mediaType: z.string(),
    questions: z.array(z.string()).default([]),
  }),
);

/** Without its list, `examples.json`, a folder has no examples. */
export function createExamples(folder: string, store: Store, ingestor: Ingestor): Examples {
  const manifest = async () => {
    const text = await readFile(join(folder, "examples.json"), "utf8").catch(() => "[]");
    return ManifestSchema.parse(JSON.parse(text));
  };
  const externalId = (id: string) => `example:${id}`;
  return {
    async list(collectionId = "default") {
      const examples = await manifest();
      return Promise.all(
        examples.map(async ({ file, ...example }): Promise<Example> => {
          const [{ size }, document] = await Promise.all([
            stat(join(folder, file)),
            store.findDocument(collectionId, externalId(example.id)),
          ]);
          return { ...example, bytes: size, ...(document === undefined ? {} : { documentId: document.id }) };
        }),
      );
    },
    async add(ids, collectionId) {
      const examples = await manifest();
      const unknown = ids?.find((id) => !examples.some((example) => example.id === id));
      if (unknown !== undefined) {
        throw notFound("example", unknown, `There are: ${examples.map(({ id }) => id).join(", ")}.`);
      }
      const accepted: DocumentAccepted[] = [];
      for (const { id, file, mediaType } of examples) {
        if (ids !== undefined && !ids.includes(id)) continue;
        const options = { name: file, mediaType, collectionId, externalId: externalId(id) };
        const { documentId, jobId, status } = await ingestor.submit(
          await readFile(join(folder, file)),
          options,
        );
        accepted.push({ documentId, status, name: file, ...(jobId === undefined ? {} : { jobId }) });
      }
      return accepted;
    },
  };
}
