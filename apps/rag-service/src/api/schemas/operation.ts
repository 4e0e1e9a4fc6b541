/** Whether the service works. */
import { z } from "@hono/zod-openapi";

export const LiveSchema = z.object({ status: z.literal("ok"), version: z.string() }).openapi("Live");
export type Live = z.infer<typeof LiveSchema>;
export const ReadySchema = z
  .object({
    status: z.enum(["ready", "starting"]),
    store: z.boolean(),
    chat: z.boolean(),
    embedder: z.boolean(),
    notes: z.array(z.string()),
  })
  .openapi("Ready");
export type Ready = z.infer<typeof ReadySchema>;
