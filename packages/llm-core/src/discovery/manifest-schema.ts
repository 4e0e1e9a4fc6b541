import type { ZodType } from "zod";

import type { ModelFile, ProviderManifest } from "../manifest.ts";
import { type Feature, OPERATIONS } from "../provider.ts";
import { issueText } from "../schema.ts";

/** What `llmProvider` of a package.json says, or each of its faults with its path. */
export type ManifestReading =
  | { readonly manifest: ProviderManifest; readonly unknown: readonly string[] }
  | { readonly faults: readonly string[] };

/** An entry of `llmModels` as it is written: its path is still relative, its package not yet named. */
export type DeclaredModel = Omit<ModelFile, "packageName">;

export type ModelReading =
  | { readonly model: DeclaredModel; readonly unknown: readonly string[] }
  | { readonly faults: readonly string[] };

export interface ManifestReader {
  provider(value: unknown): ManifestReading;
  model(value: unknown, place: string): ModelReading;
}

/** The checks of what packages say about themselves. Made when the first of them says something: zod takes its time. */
export async function createManifestReader(): Promise<ManifestReader> {
  const { z } = await import("zod");
  const word = z.string().min(1).max(200);
  const count = z.int().positive();

  const manifestShape = {
    contract: count,
    id: z
      .string()
      .max(64)
      .regex(/^[a-z0-9][a-z0-9._-]*$/, "write lower-case letters, digits, dots and dashes"),
    entry: word,
    operations: z.array(word as ZodType<ProviderManifest["operations"][number]>).min(1),
    features: z.array(word as ZodType<ProviderManifest["features"][number]>).default([]),
    modelFormats: z.array(word as ZodType<ProviderManifest["modelFormats"][number]>).default([]),
    settingsSchema: word.optional(),
    conformance: word.optional(),
  };
  const manifestSchema: ZodType<ProviderManifest> = z.object(manifestShape);

  const modelShape = {
    id: word,
    format: z.enum(["gguf", "onnx"]),
    task: z.enum(["chat", "embedding", "rerank"]),
    path: word,
    bytes: count,
    contextWindow: count.optional(),
    dimensions: count.optional(),
    license: word,
    note: z.string().optional(),
    demonstration: z.boolean().optional(),
  };
  const modelSchema: ZodType<DeclaredModel> = z.object(modelShape);

  const faultsOf = (place: string, issues: readonly { message: string; path: readonly PropertyKey[] }[]) =>
    issues.map(({ message, path }) => issueText({ message, path: [place, ...path] }));

  return {
    provider(value) {
      const result = manifestSchema.safeParse(value);
      if (!result.success) return { faults: faultsOf("llmProvider", result.error.issues) };
      const keys = unknownKeys(value, manifestShape).map((key) => `key "${key}"`);
      return { manifest: result.data, unknown: [...keys, ...unknownWords(result.data)] };
    },
    model(value, place) {
      const result = modelSchema.safeParse(value);
      if (!result.success) return { faults: faultsOf(place, result.error.issues) };
      return { model: result.data, unknown: unknownKeys(value, modelShape).map((key) => `${place}.${key}`) };
    },
  };
}

const FEATURES: Readonly<Record<Feature, true>> = {
  tools: true,
  "json-schema": true,
  reasoning: true,
  vision: true,
};

/** A later release of the same contract may know more words than this one: they do no harm, and are told. */
function unknownWords({ operations, features }: ProviderManifest): readonly string[] {
  return [
    ...operations.filter((word) => !Object.hasOwn(OPERATIONS, word)).map((word) => `operation "${word}"`),
    ...features.filter((word) => !Object.hasOwn(FEATURES, word)).map((word) => `feature "${word}"`),
  ];
}

function unknownKeys(value: unknown, shape: object): readonly string[] {
  return Object.keys(Object(value)).filter((key) => !Object.hasOwn(shape, key));
}
