import { lazySchema, LlmError, type Timeouts } from "@enginehouse/llm-core";
import type { Quirks } from "@enginehouse/llm-openai-dialect";
import type { ZodType } from "zod";

import type { Preset, PresetName } from "./presets/presets.ts";

/** What a user may configure. Read once, at the first operation. */
export interface OpenaiSettings {
  /** The server's address, with its `/v1`, which is added where the address has no path. Default `OPENAI_BASE_URL`, else that of `preset`; with a key alone, OpenAI's own. */
  readonly baseUrl?: string | undefined;
  /** Default `OPENAI_API_KEY` for OpenAI itself and for `OPENAI_BASE_URL`; other services have variables of their own. */
  readonly apiKey?: string | undefined;
  /** For accounts of several organizations. */
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What kind of server it is. Default: what the address tells, else one that nothing is known of. */
  readonly preset?: PresetName | undefined;
  /** `auto` (default): Responses where the preset has it and the request needs nothing else, else Chat Completions. */
  readonly api?: "chat" | "responses" | "auto" | undefined;
  /** How long the vectors of embeddings are, where the model can choose. */
  readonly dimensions?: number | undefined;
  /** What is put before a text to embed, by model id, where the model was trained with such words. */
  readonly prefixes?:
    | Readonly<
        Record<string, { readonly query?: string | undefined; readonly document?: string | undefined }>
      >
    | undefined;
  /** Milliseconds, for calls that say nothing else. */
  readonly timeouts?: Timeouts | undefined;
  /** Where the server differs from its preset. */
  readonly quirks?: QuirkSettings | undefined;
}

type QuirkSettings = { readonly [K in keyof Quirks]?: Quirks[K] | undefined };

export const settings = lazySchema<OpenaiSettings>(async () => {
  const [{ z }, { PRESETS }] = await Promise.all([import("zod"), import("./presets/presets.ts")]);
  const ms = z.number().nonnegative().optional();
  const field = z.string().min(1).optional();
  const quirks: ZodType<QuirkSettings> = z
    .strictObject({
      maxTokensField: z.enum(["max_tokens", "max_completion_tokens"]),
      seedField: z.union([z.enum(["seed", "random_seed"]), z.literal(false)]),
      extraOptions: z.strictObject({ topK: field, minP: field, repeatPenalty: field }),
      penalties: z.boolean(),
      streamOptions: z.boolean(),
      progress: z.boolean(),
      reasoning: z.union([z.enum(["effort", "object", "template"]), z.literal(false)]),
      reasoningBack: z.union([z.enum(["reasoning_content", "reasoning"]), z.literal(false)]),
      thinkTags: z.union([z.boolean(), z.literal("opened")]),
      doneEnds: z.boolean(),
      refusesOverflow: z.boolean(),
      jsonObject: z.boolean(),
      responsesFormat: z.enum(["text", "response_format"]),
      namedTool: z.boolean(),
      repeatsGiven: z.boolean(),
      shortCallIds: z.boolean(),
      keepAlive: z.union([z.literal("ttl"), z.literal(false)]),
      base64: z.boolean(),
      embedBatch: z.int().positive(),
      encryptedReasoning: z.boolean(),
    })
    .partial();
  const schema: ZodType<OpenaiSettings> = z.strictObject({
    baseUrl: z
      .url({ protocol: /^https?$/, error: "expected an address, such as http://127.0.0.1:8080/v1" })
      .optional(),
    apiKey: z.string().min(1).optional(),
    organization: z.string().min(1).optional(),
    project: z.string().min(1).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    preset: z.enum(Object.keys(PRESETS) as PresetName[]).optional(),
    api: z.enum(["chat", "responses", "auto"]).optional(),
    dimensions: z.int().positive().optional(),
    prefixes: z
      .record(z.string(), z.strictObject({ query: z.string().optional(), document: z.string().optional() }))
      .optional(),
    timeouts: z.strictObject({ connect: ms, firstEvent: ms, idle: ms, total: ms }).optional(),
    quirks: quirks.optional(),
  });
  return schema;
});

/** Where a provider's requests go, and what is known of the server there. */
export interface Connection {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly preset: Preset;
  readonly quirks: Quirks;
  /** Models that were found to have no thoughts to encrypt. */
  readonly thoughtless: Set<string>;
}

/** The settings with the environment's word where they say nothing. Nothing is guessed that would leave this machine. */
export async function readConnection(
  given: OpenaiSettings,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Connection> {
  const [{ COMPATIBLE, presetOf, PRESETS }, { PLAIN }] = await Promise.all([
    import("./presets/presets.ts"),
    import("@enginehouse/llm-openai-dialect"),
  ]);
  const said = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : env[name]?.trim() || undefined;
  const chosen: Preset | undefined = given.preset && PRESETS[given.preset];
  // The variable names the server of whoever set it, which a chosen preset may not be.
  const fromEnv =
    given.preset === undefined || given.preset === "openai" ? said("OPENAI_BASE_URL") : undefined;
  const keyed = given.apiKey ?? said("OPENAI_API_KEY");
  const own = keyed === undefined ? undefined : PRESETS.openai.address;
  const address = given.baseUrl ?? fromEnv ?? chosen?.address ?? own;
  if (address === undefined) {
    throw new LlmError("invalid-settings", "no server is named: neither baseUrl, preset nor a key is set", {
      phase: "settings",
      hint: "set baseUrl, for instance to http://127.0.0.1:8080/v1, or apiKey for OpenAI itself",
    });
  }
  assertAddress(address, given.baseUrl === undefined && address === fromEnv ? "OPENAI_BASE_URL" : "baseUrl");
  const guessed = presetOf(address);
  const service: Preset | undefined = guessed && PRESETS[guessed];
  const preset = chosen ?? service ?? COMPATIBLE;
  // A key in the environment goes to the service that it belongs to, and to nobody else.
  const ofEnvironment = given.baseUrl === undefined && address === fromEnv ? "OPENAI_API_KEY" : undefined;
  const apiKey = given.apiKey ?? said(service === undefined ? ofEnvironment : service.keyVariable);
  if (apiKey === undefined && service !== undefined) {
    throw new LlmError("invalid-settings", `${new URL(address).host} answers nobody without a key`, {
      phase: "settings",
      hint: service.hint,
    });
  }
  return {
    baseUrl: withVersion(address),
    apiKey,
    preset,
    quirks: { ...PLAIN, ...preset.quirks, ...defined(given.quirks) },
    thoughtless: new Set(),
  };
}

function assertAddress(address: string, where: string): void {
  if (/^https?:$/.test(URL.parse(address)?.protocol ?? "")) return;
  throw new LlmError("invalid-settings", `${where}: "${address}" is no address of a server`, {
    phase: "settings",
    hint: "write it like http://127.0.0.1:8080/v1",
  });
}

/** The path that nearly every server has, where the address leaves it out. */
function withVersion(address: string): string {
  const url = URL.parse(address);
  if (url === null || url.pathname !== "/") return address;
  url.pathname = "/v1";
  return url.href;
}

const defined = (given: QuirkSettings = {}): Partial<Quirks> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
