import type { ZodType } from "zod";

import type { ModelFile, ProviderManifest } from "../manifest.ts";
import { OPERATIONS } from "../provider.ts";
import { issueText } from "../schema.ts";

/** What `llmProvider` of a package.json says, or each of its faults with its path. */
export type ManifestReading =
  | { readonly manifest: ProviderManifest; readonly unknown: readonly string[] }
  | { readonly faults: readonly string[] };

/** An entry of `llmModels` as it is written: its path is still relative, its package not yet named. */
export type DeclaredModel = Omit<ModelFile, "packageName">;

export type ModelReading = { readonly model: DeclaredModel } | { readonly faults: readonly string[] };

export interface ManifestReader {
  provider(value: unknown): ManifestReading;
  model(value: unknown, place: string): ModelReading;
}

/** The checks of what packages say about themselves. Made when the first of them says something: zod takes its time. */
export async function createManifestReader(): Promise<ManifestReader> {
  const { z } = await import("zod");
  const word = z.string().min(1).max(200);
  const count = z.int().positive();

  const manifestSchema: ZodType<ProviderManifest> = z.object({
    contract: count,
    id: z
      .string()
      .max(64)
      .regex(/^[a-z0-9][a-z0-9._-]*$/, "write lower-case letters, digits, dots and dashes"),
    entry: word,
    // A later release of the same contract may know more words than this one; they do no harm here.
    operations: z.array(word as ZodType<ProviderManifest["operations"][number]>).min(1),
    features: z.array(word as ZodType<ProviderManifest["features"][number]>).default([]),
    modelFormats: z.array(word as ZodType<ProviderManifest["modelFormats"][number]>).default([]),
    settingsSchema: word.optional(),
  });

  const modelSchema: ZodType<DeclaredModel> = z.object({
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
  });

  const faultsOf = (place: string, issues: readonly { message: string; path: readonly PropertyKey[] }[]) =>
    issues.map(({ message, path }) => issueText({ message, path: [place, ...path] }));

  return {
    provider(value) {
      const result = manifestSchema.safeParse(value);
      if (!result.success) return { faults: faultsOf("llmProvider", result.error.issues) };
      return { manifest: result.data, unknown: unknownWords(result.data, Object.keys(Object(value))) };
    },
    model(value, place) {
      const result = modelSchema.safeParse(value);
      return result.success ? { model: result.data } : { faults: faultsOf(place, result.error.issues) };
    },
  };
}

const KEYS = ["contract", "id", "entry", "operations", "features", "modelFormats", "settingsSchema"];
const FEATURES = ["tools", "json-schema", "reasoning", "vision"];

function unknownWords(
  { operations, features }: ProviderManifest,
  keys: readonly string[],
): readonly string[] {
  return [
    ...keys.filter((key) => !KEYS.includes(key)).map((key) => `key "${key}"`),
    ...operations.filter((word) => !Object.hasOwn(OPERATIONS, word)).map((word) => `operation "${word}"`),
    ...features.filter((word) => !FEATURES.includes(word)).map((word) => `feature "${word}"`),
  ];
}
