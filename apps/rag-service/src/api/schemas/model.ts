/** Providers and models. */
import { z } from "@hono/zod-openapi";

import { count, id, time } from "./primitives.ts";

export const DiagnosticSchema = z
  .object({
    package: z.string(),
    providerId: z.string().optional(),
    status: z.enum(["used", "ignored", "refused", "failed"]),
    code: z.string().optional(),
    message: z.string(),
    hint: z.string().optional(),
  })
  .openapi("Diagnostic");
export type Diagnostic = z.infer<typeof DiagnosticSchema>;

export const HealthSchema = z
  .object({
    status: z.enum(["ok", "degraded", "down", "unknown"]),
    version: z.string().optional(),
    message: z.string().optional(),
    hint: z.string().optional(),
    checkedAt: time,
  })
  .openapi("Health");
export type Health = z.infer<typeof HealthSchema>;

export const ProviderSchema = z
  .object({
    id,
    package: z.string().optional(),
    packageVersion: z.string().optional(),
    operations: z.array(z.string()),
    features: z.array(z.string()),
    modelFormats: z.array(z.string()),
    health: HealthSchema,
  })
  .openapi("Provider");
export type Provider = z.infer<typeof ProviderSchema>;
export const ProviderListSchema = z
  .object({
    providers: z.array(ProviderSchema),
    diagnostics: z.array(DiagnosticSchema),
    configFile: z.string().openapi({ description: "The file in which providers are given their settings." }),
  })
  .openapi("ProviderList");
export type ProviderList = z.infer<typeof ProviderListSchema>;

export const ModelSchema = z
  .object({
    ref: z.string().openapi({ description: "`provider/model`: what requests name." }),
    providerId: z.string(),
    model: z.string(),
    name: z.string().openapi({ description: "For people." }),
    task: z.enum(["chat", "embedding", "rerank", "unknown"]),
    installed: z.boolean(),
    loaded: z.boolean().optional(),
    demonstration: z.boolean(),
    bytes: count.optional(),
    contextWindow: count.optional(),
    quantization: z.string().optional(),
    dimensions: count.optional(),
    license: z.string().optional(),
    note: z.string().optional(),
    problem: z.string().optional().openapi({ description: "Why it cannot be used as it is." }),
  })
  .openapi("Model");
export type Model = z.infer<typeof ModelSchema>;

export const CatalogueEntrySchema = z
  .object({
    model: z.string().openapi({ description: "What `POST /api/models/download` takes." }),
    backend: z.string().openapi({ description: "The provider that can fetch and run it." }),
    name: z.string(),
    task: z.enum(["chat", "embedding", "rerank"]),
    bytes: count,
    contextWindow: count.optional(),
    license: z.string(),
    note: z.string(),
    installed: z.boolean(),
    ref: z.string().optional().openapi({ description: "Present once installed." }),
    recommended: z.boolean().optional(),
  })
  .openapi("CatalogueEntry");
export type CatalogueEntry = z.infer<typeof CatalogueEntrySchema>;
