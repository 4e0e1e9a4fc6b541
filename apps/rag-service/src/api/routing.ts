/** What all routes share: how a bad request is refused, and how a route is described. */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { ZodType } from "zod";

import { fault } from "./problem.ts";
import { ProblemSchema } from "./schemas.ts";

export function createRouter(): OpenAPIHono {
  return new OpenAPIHono({
    defaultHook(result) {
      if (result.success) return;
      const issues = result.error.issues.map((issue) => ({
        path: issue.path.join("."),
        message: issue.message,
      }));
      const [first] = issues;
      const field = first?.path === "" || first === undefined ? "The request" : `"${first.path}"`;
      throw fault({
        status: 400,
        code: "invalid-request",
        detail: `${field} is not right: ${first?.message ?? "it has another form"}.`,
        hint: "The form of every request is in /openapi.json.",
        retryable: false,
        issues,
      });
    },
  });
}

export const failures = {
  default: {
    description: "What went wrong, and what to do.",
    content: { "application/problem+json": { schema: ProblemSchema } },
  },
};

export function reply(schema: ZodType, description: string) {
  return { description, content: { "application/json": { schema } } };
}

export function body<Schema extends ZodType>(schema: Schema) {
  return { body: { required: true, content: { "application/json": { schema } } } } as const;
}

export const IdParam = z.object({ id: z.string().min(1).max(200) });

/** A page of a list. */
export const PageQuery = z.object({
  offset: z.coerce.number().int().min(0).max(10_000_000).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
