/** The routes whose bodies are read as they stream: described here, for no schema can check them. */
import { type OpenAPIHono, z } from "@hono/zod-openapi";

import { failures, reply } from "./routing.ts";
import { DocumentsAcceptedSchema, DocumentTextSchema } from "./schemas.ts";

const accepted = {
  202: reply(DocumentsAcceptedSchema, "On disk; a job reads it."),
  200: reply(DocumentsAcceptedSchema, "Unchanged."),
};
const uploadBody = {
  body: {
    description: "multipart with one or more files, JSON with a text, or the raw bytes of a file.",
    required: true,
    content: {
      "multipart/form-data": { schema: z.object({ file: z.string().openapi({ format: "binary" }) }) },
      "application/json": { schema: DocumentTextSchema },
      "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) },
    },
  },
};

const ROUTES = [
  ["post", "/api/v1/collections/{id}/documents", "Add documents"],
  [
    "put",
    "/api/v1/collections/{id}/documents/{externalId}",
    "Add a document under a name of your own, or a new version",
  ],
] as const;

export function describeUploads({ openAPIRegistry }: OpenAPIHono): void {
  for (const [method, path, summary] of ROUTES) {
    const responses = { ...accepted, ...failures };
    openAPIRegistry.registerPath({ method, path, summary, request: uploadBody, responses });
  }
}
