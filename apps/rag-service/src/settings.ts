/** What the service is told: by the environment, by its configuration file, and by the person who uses it. */
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { z } from "@hono/zod-openapi";

import { invalid, readConfig, type ServiceConfig } from "./config.ts";
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
    config: readConfig({
      application,
      given: env["ENGINEHOUSE_CONFIG"]?.trim() || undefined,
      dataDir,
      modelsDir,
      env,
    }),
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
