/** The configuration: what the application's package.json says, and over it what the user's own file says. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { z } from "@hono/zod-openapi";

import { fault } from "./api/problem.ts";

const reference = z
  .string()
  .regex(/^[^/\s]+\/\S.*$/, "write the name of a provider, a slash and a model: provider/model");

const ConfigSchema = z.strictObject({
  /**
   * Providers under names of the user's own, with their settings. In a text `{modelsDir}` and `{dataDir}` stand for
   * those folders, `{env:NAME}` for a variable of the environment.
   */
  providers: z
    .record(
      z.string().regex(/^[^/\s]+$/, "a name has no slash and no space"),
      z.strictObject({
        plugin: z.string().optional(),
        settings: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .default({}),
  /** Models that answer when nobody chose one on the page, in the order they are tried. */
  chat: z.array(reference).default([]),
  /** The model that makes the vectors. Left out: the first one that is found. */
  embedding: reference.optional(),
  /** Packages or ids that are not to be used. */
  deny: z.array(z.string()).default([]),
  /** Who fetches a model when a request does not say. */
  downloadBackend: z.string().optional(),
  /** Models that are offered for download. */
  catalogue: z
    .array(
      z.strictObject({
        model: z.string(),
        /** A provider, or `format` with any provider that reads and pulls it. */
        backend: z.string().optional(),
        format: z.enum(["gguf", "onnx"]).optional(),
        name: z.string(),
        task: z.enum(["chat", "embedding", "rerank"]),
        bytes: z.number().int().positive(),
        contextWindow: z.number().int().positive().optional(),
        license: z.string(),
        note: z.string(),
        recommended: z.boolean().optional(),
      }),
    )
    .default([]),
});

export type ServiceConfig = z.infer<typeof ConfigSchema> & {
  /** Where the user's own part lies, or would lie. */
  readonly file: string;
  /** The providers that the user's own part names. */
  readonly own: readonly string[];
};

export interface ConfigPlaces {
  /** The path of the application's package.json. */
  readonly application: string;
  /** The user's file, given by hand; it must be there then. Default: `config.json` in the data folder, where there is one. */
  readonly given: string | undefined;
  readonly dataDir: string;
  readonly modelsDir: string;
  readonly env: NodeJS.ProcessEnv;
}

type Fields = Record<string, unknown>;

export function readConfig({ application, given, dataDir, modelsDir, env }: ConfigPlaces): ServiceConfig {
  const file = given === undefined ? join(dataDir, "config.json") : resolve(given);
  const base = asFields(asFields(readJson(application), application)["enginehouse"] ?? {}, application);
  const own = given !== undefined || existsSync(file) ? asFields(readJson(file), file) : {};
  const providers = mergeProviders(asFields(base["providers"] ?? {}, application), own["providers"]);
  const filled = fill(providers, { modelsDir, dataDir }, env, ["providers"], file);
  const parsed = ConfigSchema.safeParse({ ...base, ...own, providers: filled });
  if (!parsed.success) {
    const issues = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "the file"}: ${message}`,
    );
    const where = Object.keys(own).length === 0 ? application : file;
    throw invalid(
      `The configuration in ${where} is not right: ${issues.join("; ")}.`,
      "Correct the named fields, then start the service again.",
    );
  }
  return { ...parsed.data, file, own: Object.keys(asFields(own["providers"] ?? {}, file)) };
}

/** A provider that both parts name keeps those settings that the user's part leaves alone. */
function mergeProviders(base: Fields, own: unknown): unknown {
  if (own === undefined) return base;
  if (!isFields(own)) return own;
  const merged = Object.entries(own).map(([name, choice]) => {
    const former = base[name];
    if (!isFields(choice) || !isFields(former)) return [name, choice];
    const same = (choice["plugin"] ?? former["plugin"]) === former["plugin"];
    if (!same || !isFields(former["settings"]) || !isFields(choice["settings"] ?? {})) return [name, choice];
    const settings = { ...former["settings"], ...asObject(choice["settings"]) };
    return [name, { ...former, ...choice, settings }];
  });
  return { ...base, ...Object.fromEntries(merged) };
}

function fill(
  value: unknown,
  folders: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv,
  path: readonly string[],
  file: string,
): unknown {
  if (typeof value === "string") {
    return value.replaceAll(/\{(env:)?(\w+)\}/g, (whole, variable: string | undefined, name: string) => {
      if (variable === undefined) return folders[name] ?? whole;
      const found = env[name];
      if (found !== undefined && found !== "") return found;
      throw invalid(
        `${path.join(".")} in ${file} wants the environment variable ${name}, which is not set.`,
        `Set ${name} where the service is started, or correct the file.`,
      );
    });
  }
  if (Array.isArray(value))
    return value.map((item, at) => fill(item, folders, env, [...path, String(at)], file));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fill(item, folders, env, [...path, key], file)]),
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(`${path} could not be read: ${why}.`, "Correct the file, or the variable that names it.");
  }
}

function asFields(value: unknown, path: string): Fields {
  if (isFields(value)) return value;
  throw invalid(`${path} holds no object where one belongs.`, "Write { … } with the fields of the README.");
}

function asObject(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function invalid(detail: string, hint: string): Error {
  return fault({ status: 500, code: "invalid-settings", detail, hint, retryable: false });
}
