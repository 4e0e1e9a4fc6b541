/** Who answers, and models on their way here. */
import { z } from "@hono/zod-openapi";

import { CatalogueEntrySchema, HealthSchema, ModelSchema } from "./model.ts";
import { count, id } from "./primitives.ts";
import { ProblemSchema } from "./problem.ts";
import { ModelChoiceSchema } from "./run.ts";

export const ActiveSettingsSchema = z
  .object({
    model: z.string().optional().openapi({ description: "The model chosen by hand, tried first." }),
    order: z.array(z.string()).openapi({ description: "Further targets, in the order they are tried." }),
    resolved: z
      .array(ModelChoiceSchema)
      .openapi({ description: "What will really be tried, in this order." }),
    embedder: ModelChoiceSchema.optional(),
  })
  .openapi("ActiveSettings");
export type ActiveSettings = z.infer<typeof ActiveSettingsSchema>;
export const ActiveSettingsPutSchema = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .max(500)
      .nullable()
      .optional()
      .openapi({ description: "null: choose by itself." }),
    order: z.array(z.string().min(1).max(500)).max(20).optional(),
  })
  .openapi("ActiveSettingsPut");
export type ActiveSettingsPut = z.infer<typeof ActiveSettingsPutSchema>;

export const ModelListSchema = z
  .object({
    models: z.array(ModelSchema),
    catalogue: z.array(CatalogueEntrySchema).openapi({ description: "Real models one click away." }),
    active: ModelChoiceSchema.optional().openapi({ description: "Who answers the next question." }),
    modelsFolder: z.string().openapi({ description: "Model files dropped here are found." }),
    problems: z
      .array(ProblemSchema)
      .openapi({ description: "Providers whose models could not be listed, and why." }),
  })
  .openapi("ModelList");
export type ModelList = z.infer<typeof ModelListSchema>;

export const ModelsAvailableSchema = z
  .object({
    backends: z.array(
      z.object({
        backend: z.string(),
        info: z.object({
          package: z.string().optional(),
          operations: z.array(z.string()),
          health: HealthSchema,
        }),
        models: z.array(CatalogueEntrySchema),
        installed: z.array(ModelSchema),
        problem: ProblemSchema.optional(),
      }),
    ),
  })
  .openapi("ModelsAvailable");
export type ModelsAvailable = z.infer<typeof ModelsAvailableSchema>;

export const ModelDownloadSchema = z
  .strictObject({
    model: z.string().min(1).max(1_000),
    backend: z.string().min(1).max(200).optional(),
  })
  .openapi("ModelDownload");
export type ModelDownload = z.infer<typeof ModelDownloadSchema>;
export const JobAcceptedSchema = z.object({ jobId: id, status: z.literal("queued") }).openapi("JobAccepted");
export type JobAccepted = z.infer<typeof JobAcceptedSchema>;

export const ModelRefSchema = z.strictObject({ ref: z.string().min(1).max(1_000) }).openapi("ModelRef");
export type ModelRef = z.infer<typeof ModelRefSchema>;
export const ModelLoadedSchema = z
  .object({
    ref: z.string(),
    loaded: z.boolean(),
    contextWindow: count.optional(),
    memoryBytes: count.optional(),
  })
  .openapi("ModelLoaded");
export type ModelLoaded = z.infer<typeof ModelLoadedSchema>;
