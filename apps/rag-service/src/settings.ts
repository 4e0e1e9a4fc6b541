/** What the service is told: by the environment, by its configuration file, and by the person who uses it. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { z } from "@hono/zod-openapi";

import { fault } from "./api/problem.ts";
import { isLoopback } from "./security.ts";
import type { Store } from "./store/store.ts";
import type { TargetOrder } from "./targets.ts";

export interface ServiceSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly apiKey: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly dataDir: string;
  /** Model files dropped here are found by the providers that read them. */
  readonly modelsDir: string;
  /** The application whose dependencies are looked at for providers: the path of its package.json. */
  readonly application: string;
  readonly config: ServiceConfig;
  /** The built page; `undefined`: only the API is served. */
  readonly publicDir: string;
  readonly examplesDir: string;
}

const ConfigSchema = z.strictObject({
  /** Providers under their names, with their settings. `{modelsDir}` and `{dataDir}` in a text stand for those folders. */
  providers: z
    .record(
      z.string(),
      z.strictObject({
        plugin: z.string().optional(),
        settings: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .default({}),
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
export type ServiceConfig = z.infer<typeof ConfigSchema>;

export const DEFAULT_PORT = 3000;

export function readSettings(env: NodeJS.ProcessEnv, application = applicationPath()): ServiceSettings {
  const host = env["HOST"]?.trim() || "127.0.0.1";
  const apiKey = env["ENGINEHOUSE_API_KEY"]?.trim() || undefined;
  if (!isLoopback(host) && apiKey === undefined) {
    throw invalid(
      `HOST is ${host}, so other machines could read the documents, and no key is set.`,
      "Set ENGINEHOUSE_API_KEY to a long random text, or leave HOST out.",
    );
  }
  const dataDir = resolve(env["ENGINEHOUSE_DATA_DIR"]?.trim() || defaultDataDir(env));
  const modelsDir = join(dataDir, "models");
  const folder = dirname(application);
  return {
    host,
    port: readPort(env["PORT"]),
    apiKey,
    allowedHosts: (env["ENGINEHOUSE_ALLOWED_HOSTS"] ?? "").split(/[\s,]+/).filter((name) => name !== ""),
    dataDir,
    modelsDir,
    application,
    config: readConfig(application, env["ENGINEHOUSE_CONFIG"], { dataDir, modelsDir }),
    publicDir: join(folder, "dist", "public"),
    examplesDir: join(folder, "examples"),
  };
}

/** The package.json above this file, built or not. */
function applicationPath(): string {
  return fileURLToPath(new URL("../package.json", import.meta.url));
}

function readPort(text: string | undefined): number {
  if (text === undefined || text.trim() === "") return DEFAULT_PORT;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw invalid(
    `PORT is "${text}", which is no port.`,
    "Set it to a number from 1 to 65535, or leave it out.",
  );
}

function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (process.platform === "win32") {
    return join(env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"), "enginehouse");
  }
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support", "enginehouse");
  const shared = env["XDG_DATA_HOME"];
  return join(
    shared !== undefined && isAbsolute(shared) ? shared : join(homedir(), ".local", "share"),
    "enginehouse",
  );
}

/** The `enginehouse` part of the application's package.json, with the file of ENGINEHOUSE_CONFIG laid over it. */
function readConfig(
  application: string,
  extra: string | undefined,
  folders: Record<string, string>,
): ServiceConfig {
  const own = asRecord(asRecord(readJson(application))["enginehouse"]);
  const path = extra?.trim() || undefined;
  const given = path === undefined ? {} : asRecord(readJson(resolve(path)));
  const providers = { ...asRecord(own["providers"]), ...asRecord(given["providers"]) };
  const parsed = ConfigSchema.safeParse({ ...own, ...given, providers: fill(providers, folders) });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    (issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`,
  );
  throw invalid(
    `The configuration in ${path ?? application} is not right: ${issues.join("; ")}.`,
    "Correct the named fields.",
  );
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(`${path} could not be read: ${why}.`, "Correct the file, or the variable that names it.");
  }
}

function fill(value: unknown, folders: Record<string, string>): unknown {
  if (typeof value === "string")
    return value.replaceAll(/\{(\w+)\}/g, (whole, name: string) => folders[name] ?? whole);
  if (Array.isArray(value)) return value.map((item) => fill(item, folders));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, folders)]));
}

function invalid(detail: string, hint: string): Error {
  return fault({ status: 500, code: "invalid-settings", detail, hint, retryable: false });
}

/** What the person chose on the page; kept in the store. */
export interface ActiveSettingsStore {
  read(): Promise<TargetOrder>;
  write(order: TargetOrder): Promise<void>;
}

const ActiveSchema = z.object({ model: z.string().optional(), order: z.array(z.string()).default([]) });

export function createActiveSettings(
  store: Pick<Store, "readSetting" | "writeSetting">,
): ActiveSettingsStore {
  return {
    async read() {
      const parsed = ActiveSchema.safeParse((await store.readSetting("active")) ?? {});
      return parsed.success ? parsed.data : { order: [] };
    },
    write: (order) => store.writeSetting("active", order),
  };
}
