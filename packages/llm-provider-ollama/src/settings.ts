import { lazySchema, LlmError } from "@enginehouse/llm-core";
import type { ZodType } from "zod";

import { addressOf, CLOUD, isLocal } from "./connection/address.ts";

/** What a user may configure. Read once, at the first operation. */
export interface OllamaSettings {
  /** Where the server listens, in any form that `OLLAMA_HOST` may have. Default `OLLAMA_HOST`, else `http://127.0.0.1:11434`. */
  readonly baseUrl?: string | undefined;
  /** Sent as a bearer token. Default `OLLAMA_API_KEY`, for https://ollama.com alone. */
  readonly apiKey?: string | undefined;
  /** Sent with every request, for a proxy in front of the server. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Tokens of the window that models are loaded with. Default the server's own. */
  readonly contextWindow?: number | undefined;
  /** The same by model; it wins over `contextWindow`. */
  readonly contextWindows?: Readonly<Record<string, number>> | undefined;
  /** How long an unused model stays loaded, where a request does not say; 0 unloads it at once. Default the server's own. */
  readonly keepAliveMs?: number | undefined;
  /** A download whose figures stand still for so long fails. Default 60 000. */
  readonly pullStallMs?: number | undefined;
  /** Whether the server may pull from registries without a valid certificate. Default false. */
  readonly insecurePulls?: boolean | undefined;
  /** What is put before a text to embed, by model, where the model was trained with such words. */
  readonly prefixes?:
    | Readonly<
        Record<string, { readonly query?: string | undefined; readonly document?: string | undefined }>
      >
    | undefined;
}

export const settings = lazySchema<OllamaSettings>(async () => {
  const { z } = await import("zod");
  const window = z.int().positive();
  const schema: ZodType<OllamaSettings> = z.strictObject({
    baseUrl: z
      .string()
      .min(1)
      .refine((value) => isAddress(value), "expected an address, such as http://127.0.0.1:11434")
      .optional(),
    apiKey: z.string().min(1).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    contextWindow: window.optional(),
    contextWindows: z.record(z.string(), window).optional(),
    keepAliveMs: z.number().nonnegative().optional(),
    pullStallMs: z.number().positive().optional(),
    insecurePulls: z.boolean().optional(),
    prefixes: z
      .record(z.string(), z.strictObject({ query: z.string().optional(), document: z.string().optional() }))
      .optional(),
  });
  return schema;
});

/** The settings with every default filled in that is ours. */
export interface Configured {
  readonly baseUrl: string;
  /** The server is on this machine. */
  readonly local: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly contextWindow: number | undefined;
  readonly contextWindows: Readonly<Record<string, number>>;
  readonly keepAlive: number | undefined;
  readonly pullStallMs: number;
  readonly insecurePulls: boolean;
  readonly prefixes: NonNullable<OllamaSettings["prefixes"]>;
}

export function configured(given: OllamaSettings, env: NodeJS.ProcessEnv = process.env): Configured {
  const said = (name: string): string | undefined => env[name]?.trim() || undefined;
  const baseUrl = baseUrlOf(given.baseUrl, said("OLLAMA_HOST"));
  // The key of the environment is for one server: no other one may see it.
  const key = given.apiKey ?? (baseUrl === CLOUD ? said("OLLAMA_API_KEY") : undefined);
  return {
    baseUrl,
    local: isLocal(baseUrl),
    headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...given.headers },
    contextWindow: given.contextWindow,
    contextWindows: given.contextWindows ?? {},
    keepAlive: given.keepAliveMs,
    pullStallMs: given.pullStallMs ?? 60_000,
    insecurePulls: given.insecurePulls ?? false,
    prefixes: given.prefixes ?? {},
  };
}

function baseUrlOf(given: string | undefined, host: string | undefined): string {
  const text = given ?? host ?? "";
  const address = addressOf(text);
  if (address !== undefined) return address;
  const where = given === undefined ? "OLLAMA_HOST" : "baseUrl";
  throw new LlmError("invalid-settings", `${where}: "${text}" is no address of a server`, {
    phase: "settings",
    hint: "write a host, host:port, or http://host:port/path",
  });
}

const isAddress = (text: string): boolean => addressOf(text) !== undefined;
