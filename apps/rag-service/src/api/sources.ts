import { isAbsolute } from "node:path";

import { createRoute } from "@hono/zod-openapi";

import type { Service } from "../service.ts";
import { requireCollection } from "./collections.ts";
import { fault, shorten, toProblem, unsupported } from "./problem.ts";
import { body, createRouter, failures, IdParam, reply } from "./routing.ts";
import { SourceAcceptedSchema, SourceCreateSchema } from "./schemas.ts";
import { presentAccepted } from "./take-documents.ts";

export function sourceRoutes({ store, ingestor }: Service) {
  return createRouter().openapi(
    createRoute({
      method: "post",
      path: "/api/v1/collections/{id}/sources",
      summary: "Add every readable file under a folder of this computer, once",
      request: { params: IdParam, ...body(SourceCreateSchema) },
      responses: { 202: reply(SourceAcceptedSchema, "What was taken, and what was not."), ...failures },
    }),
    async (context) => {
      const { id } = await requireCollection(store, context.req.valid("param").id);
      const { path, include, exclude, watch } = context.req.valid("json");
      if (watch === true)
        throw unsupported(
          "Watching a folder",
          "Leave `watch` out, and send the folder again after a change.",
        );
      if (!isAbsolute(path)) {
        throw fault({
          status: 400,
          code: "invalid-request",
          detail: `"${shorten(path)}" is no absolute path.`,
          hint: "Write the whole path of the folder, from the root or the drive on.",
          retryable: false,
        });
      }
      const result = await ingestor.addFolder(path, {
        collectionId: id,
        include,
        exclude,
        signal: context.req.raw.signal,
      });
      const documents = result.submitted.map(({ path: name, ...one }) => presentAccepted(name, one));
      const refused = result.skipped.map(({ path: name, reason }) => ({
        name,
        problem: toProblem(
          fault({ status: 422, code: "not-read", detail: `"${name}" was left out: ${reason}.` }),
        ),
      }));
      return context.json({ path, documents, refused }, 202);
    },
  );
}
