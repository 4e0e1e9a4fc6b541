/** Small schemas that all others are made of. */
import { z } from "@hono/zod-openapi";

export const id = z.string().min(1).max(200);
export const count = z.number().int().nonnegative();
export const time = z.iso.datetime().openapi({ description: "When, in UTC." });
export const milliseconds = z.number().nonnegative();
