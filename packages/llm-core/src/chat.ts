import type { JsonObject, JsonValue } from "./json.ts";

/** One request for one assistant message. It is read, never changed: frozen objects are welcome. */
export interface ChatRequest {
  /** The backend's own name of the model. */
  readonly model: string;
  /** Oldest first; the last one is the user's, a tool's, or an assistant's message to be continued. */
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolDefinition[] | undefined;
  /** Default `auto`. `none` leaves the tools out of what the backend sees. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Default text. With a schema the output is checked: what does not fit is `output-invalid`, never repaired. */
  readonly responseFormat?: ResponseFormat | undefined;
  /** How much the model may think before it answers. Left out: the model's own habit. */
  readonly reasoning?: ReasoningEffort | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly minP?: number | undefined;
  /** The same seed with the same request gives the same answer, where the backend can promise it. */
  readonly seed?: number | undefined;
  /** Texts that end the answer. They are not part of it. */
  readonly stop?: readonly string[] | undefined;
  /** The most tokens to generate, thinking included. Left out: what the window leaves. */
  readonly maxTokens?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly repeatPenalty?: number | undefined;
  /** What happens when the request does not fit the window. Default `error`; `drop-oldest` drops whole turns and warns. */
  readonly overflow?: "error" | "drop-oldest" | undefined;
  /** What happens to an option that provider or model cannot honour. Default `error`; `warn` leaves it out and says so in `start`. */
  readonly unsupported?: "error" | "warn" | undefined;
  /** How long the model stays loaded after this call, in milliseconds; 0 unloads it, `Infinity` keeps it. Left out: the backend's habit. */
  readonly keepAlive?: number | undefined;
  /** Also yield `raw` events, each with one piece of the backend's reply as it came. */
  readonly includeRaw?: boolean | undefined;
  /** Options that only one provider knows, under the name of its plugin; the others ignore them. */
  readonly providerOptions?: Readonly<Record<string, JsonObject>> | undefined;
}

export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

export interface SystemMessage {
  readonly role: "system";
  readonly content: string;
}

export interface UserMessage {
  readonly role: "user";
  readonly content: string | readonly (TextPart | FilePart)[];
}

export interface AssistantMessage {
  readonly role: "assistant";
  readonly content: string | readonly (TextPart | ReasoningPart | ToolCallPart)[];
}

export interface ToolMessage {
  readonly role: "tool";
  readonly content: readonly ToolResultPart[];
}

/** What a provider left on a part for itself. It comes back untouched and nobody else reads it. */
interface WithProviderData {
  readonly providerData?: JsonObject | undefined;
}

export interface TextPart extends WithProviderData {
  readonly type: "text";
  readonly text: string;
}

export interface FilePart extends WithProviderData {
  readonly type: "file";
  /** An IANA media type, such as `image/png`. */
  readonly mediaType: string;
  readonly data: Uint8Array;
}

export interface ReasoningPart extends WithProviderData {
  readonly type: "reasoning";
  readonly text: string;
}

export interface ToolCallPart extends WithProviderData {
  readonly type: "tool-call";
  readonly id: string;
  readonly name: string;
  readonly input: JsonValue;
}

export interface ToolResultPart extends WithProviderData {
  readonly type: "tool-result";
  /** The id of the call that this answers. */
  readonly id: string;
  readonly name: string;
  readonly output: JsonValue;
  readonly isError?: boolean | undefined;
}

export interface ToolDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema of the input, an object. Left out: no arguments. */
  readonly inputSchema?: JsonObject | undefined;
}

export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json"; readonly schema?: JsonObject | undefined; readonly name?: string | undefined };

export type ReasoningEffort = "none" | "low" | "medium" | "high";
