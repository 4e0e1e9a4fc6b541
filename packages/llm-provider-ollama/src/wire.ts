// What an Ollama server says, as far as we read it; its reference is https://docs.ollama.com/api. Every field may be
// missing, as versions differ: fixtures of two of them are in `apps/conformance/fixtures`.

/** Of the types nothing is sure either: a proxy, or a server that is none, may say anything. */
export interface ChatLine {
  readonly message?: {
    readonly content?: unknown;
    readonly thinking?: unknown;
    readonly tool_calls?: unknown;
  } | null;
  readonly done?: unknown;
  readonly done_reason?: unknown;
  readonly error?: unknown;
}

export interface WireToolCall {
  readonly id?: unknown;
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown } | undefined;
}

/** A line of a chat, or `undefined` where the JSON is something else. */
export function readChatLine(line: string): ChatLine | undefined {
  const value: unknown = JSON.parse(line);
  return isRecord(value) ? value : undefined;
}

export interface PullLine {
  readonly status?: string | undefined;
  readonly digest?: string | undefined;
  readonly total?: number | undefined;
  readonly completed?: number | undefined;
  readonly error?: unknown;
}

export interface WireDetails {
  readonly family?: unknown;
  readonly parameter_size?: unknown;
  readonly quantization_level?: unknown;
}

/** One model of `/api/tags` or `/api/ps`. */
export interface WireModel {
  readonly name: string;
  readonly digest: string | undefined;
  readonly size: number | undefined;
  readonly details: WireDetails;
  readonly modifiedAt: Date | undefined;
  readonly capabilities: readonly string[] | undefined;
  /** Of a loaded one. */
  readonly sizeVram: number | undefined;
  readonly expiresAt: Date | undefined;
  readonly contextLength: number | undefined;
}

export function readModels(value: unknown): readonly WireModel[] | undefined {
  if (!isRecord(value)) return undefined;
  // Nothing installed was `null` once; a reply without the field is another server's.
  const models = value["models"] === null ? [] : value["models"];
  if (!Array.isArray(models)) return undefined;
  return models.flatMap((model: unknown) => {
    if (!isRecord(model)) return [];
    const name = textIn(model, "name") ?? textIn(model, "model");
    if (name === undefined) return [];
    return {
      name,
      digest: textIn(model, "digest"),
      size: numberIn(model, "size"),
      details: isRecord(model["details"]) ? model["details"] : {},
      modifiedAt: dateIn(model, "modified_at"),
      capabilities: textsIn(model, "capabilities"),
      sizeVram: numberIn(model, "size_vram"),
      expiresAt: dateIn(model, "expires_at"),
      contextLength: numberIn(model, "context_length"),
    };
  });
}

/** What `/api/show` tells of one model. */
export interface WireShow {
  readonly details: WireDetails;
  readonly info: Readonly<Record<string, unknown>>;
  /** Versions before 0.6.4 do not tell. */
  readonly capabilities: readonly string[] | undefined;
  readonly template: string | undefined;
  readonly license: string | undefined;
  readonly hasProjector: boolean;
  readonly modifiedAt: Date | undefined;
}

export function readShow(value: unknown): WireShow | undefined {
  if (!isRecord(value)) return undefined;
  // Every version tells one of them.
  if (!["details", "model_info", "capabilities", "modelfile"].some((field) => field in value))
    return undefined;
  return {
    details: isRecord(value["details"]) ? value["details"] : {},
    info: isRecord(value["model_info"]) ? value["model_info"] : {},
    capabilities: textsIn(value, "capabilities"),
    template: textIn(value, "template"),
    license: textIn(value, "license"),
    hasProjector: isRecord(value["projector_info"]),
    modifiedAt: dateIn(value, "modified_at"),
  };
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function textIn(record: object, key: string): string | undefined {
  const value = (record as Record<string, unknown>)[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Counts, sizes and times: below zero is none of them. */
export function numberIn(record: object, key: string): number | undefined {
  const value = (record as Record<string, unknown>)[key];
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function textsIn(record: object, key: string): readonly string[] | undefined {
  const value = (record as Record<string, unknown>)[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
}

function dateIn(record: object, key: string): Date | undefined {
  const date = new Date(textIn(record, key) ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
