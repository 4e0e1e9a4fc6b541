/** A plugin of any settings, as a registry handles it. */
export declare type AnyPlugin = Omit<ProviderPlugin, "create"> & {
    readonly create: (settings?: never, host?: Partial<Host>) => Provider;
};

export declare interface AssistantMessage {
    readonly role: "assistant";
    readonly content: string | readonly (TextPart | ReasoningPart | ToolCallPart)[];
}

/** The stream's events in the arrays in which they arrived; arrays of one where it was not made here. */
export declare function batchesOf(stream: AsyncIterable<ChatEvent>): AsyncIterable<EventBatch> & {
    [Symbol.asyncIterator](): Pullable<EventBatch>;
};

export declare type BatchRead = IteratorResult<EventBatch, undefined>;

/** Where batches come from, and what a layer makes of each: one object with hooks, since every iterator between costs. */
export declare interface BatchSource {
    next(): Promise<IteratorResult<EventBatch>>;
    pull?(reader: Reader<EventBatch>): void;
    /** Sees every read, the end too. */
    onRead?(read: IteratorResult<EventBatch>): BatchRead;
    /** Sees every rejection; throws, or goes on with another read. Goes with `onRead`. */
    onFault?(error: unknown): Promise<BatchRead>;
    return(): Promise<unknown>;
}

/** What goes with one call and is not part of the request. */
export declare interface CallOptions {
    readonly signal?: AbortSignal | undefined;
    readonly timeouts?: Timeouts | undefined;
}

export declare interface Capability {
    readonly value: "yes" | "no" | "unknown";
    /** `declared` by the plugin or a model package, `reported` by the backend or the file, `probed` by trying. */
    readonly source?: "declared" | "reported" | "probed" | undefined;
}

/** What a stream yields. Consumers ignore types that they do not know. */
export declare type ChatEvent = StartEvent | StatusEvent | TextStartEvent | TextDeltaEvent | TextEndEvent | ReasoningStartEvent | ReasoningDeltaEvent | ReasoningEndEvent | ToolInputStartEvent | ToolInputDeltaEvent | ToolInputEndEvent | ToolCallEvent | RawEvent | FinishEvent;

/** One request for one assistant message. It is read, never changed: frozen objects are welcome. */
export declare interface ChatRequest {
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

/** One whole answer: what a stream's events add up to. */
export declare interface ChatResponse {
    readonly model: string;
    readonly text: string;
    readonly reasoning: string;
    readonly toolCalls: readonly ToolCallEvent[];
    /** The output as a value, when `responseFormat` was JSON and no tool was called. */
    readonly output?: JsonValue | undefined;
    /** The answer as a message to send back with the next request. */
    readonly message: AssistantMessage;
    readonly finishReason: FinishReason;
    readonly usage: Usage;
    readonly context: ContextReport;
    readonly timings?: Timings | undefined;
    readonly warnings: readonly Warning[];
}

/** Reads a stream to its end. Without a `finish` it is `stream-interrupted`. */
export declare function collect(stream: AsyncIterable<ChatEvent>): Promise<ChatResponse>;

export declare interface ContextReport {
    /** The window that was in force, in tokens. */
    readonly window?: number | undefined;
    readonly promptTokens?: number | undefined;
    /** Whether the backend cut the prompt. `no` is said only when it is known. */
    readonly truncated: "no" | "yes" | "unknown";
}

/** The version of this contract. A host accepts plugins of this version and of the one before it. */
export declare const CONTRACT_VERSION = 1;

export declare interface CountRequest {
    readonly model: string;
    /** The messages of a chat, counted with the model's own template; or plain texts, as an embedder reads them. */
    readonly messages?: readonly Message[] | undefined;
    readonly tools?: readonly ToolDefinition[] | undefined;
    readonly texts?: readonly string[] | undefined;
}

export declare interface CountResponse {
    /** Of the whole prompt, or one for each text summed. */
    readonly tokens: number;
    readonly perText?: readonly number[] | undefined;
    /** The window in force for this model, in tokens, where it is known. */
    readonly window?: number | undefined;
}

export declare function createRegistry(options?: RegistryOptions): Registry;

export declare const DEFAULT_TIMEOUTS: Required<{
    [K in keyof Timeouts]: number;
}>;

/** Makes a plugin's default export. Of what `create` gives, the contract's methods pass and no others. */
export declare function defineProvider<Settings, Made extends Provider>(definition: ProviderDefinition<Settings, Made>): ProviderPlugin<Settings, Hosted<Made>>;

/** Why a package was, or was not, used. */
export declare interface Diagnostic {
    readonly packageName: string;
    readonly packageVersion?: string | undefined;
    readonly id?: string | undefined;
    /** `used`: can serve, or carries models · `ignored`: not a plugin, or not allowed · `refused`: its manifest is at fault · `failed`: its code is. */
    readonly status: "used" | "ignored" | "refused" | "failed";
    readonly code?: ErrorCode | undefined;
    readonly message: string;
    /** What to do next. */
    readonly hint?: string | undefined;
}

/** What discovery hands to a registry. */
export declare interface Discovery {
    readonly plugins: readonly PluginCandidate[];
    readonly models: readonly ModelFile[];
    readonly diagnostics: readonly Diagnostic[];
}

export declare interface EmbedRequest {
    readonly model: string;
    readonly texts: readonly string[];
    /** Adds the model's own prefix for it, where it has one. */
    readonly purpose?: "query" | "document" | undefined;
    readonly keepAlive?: number | undefined;
    readonly providerOptions?: ChatRequest["providerOptions"];
}

export declare interface EmbedResponse {
    readonly model: string;
    /** One for each text, in order, all of one length, of length 1. */
    readonly vectors: readonly Float32Array[];
    readonly usage: {
        readonly inputTokens: number | undefined;
    };
}

/**
 * Every fault of the house has one of these codes. `retryable` says whether the same request, sent again
 * unchanged, may succeed: `undefined` means that the code alone does not tell.
 */
export declare const ERROR_CODES: {
    readonly aborted: {
        readonly retryable: false;
        readonly says: "the caller cancelled the call";
    };
    readonly timeout: {
        readonly retryable: true;
        readonly says: "a deadline of the call passed";
    };
    readonly unavailable: {
        readonly retryable: true;
        readonly says: "the backend could not be reached, or cannot answer at present";
    };
    readonly unauthenticated: {
        readonly retryable: false;
        readonly says: "the backend refused the credentials";
    };
    readonly forbidden: {
        readonly retryable: false;
        readonly says: "the credentials do not allow this";
    };
    readonly "rate-limited": {
        readonly retryable: true;
        readonly says: "the backend asks for patience";
    };
    readonly "quota-exhausted": {
        readonly retryable: false;
        readonly says: "the account behind the credentials has nothing left";
    };
    readonly "invalid-request": {
        readonly retryable: false;
        readonly says: "the request is wrong and would be wrong again";
    };
    readonly "invalid-settings": {
        readonly retryable: false;
        readonly says: "the provider's settings are wrong";
    };
    readonly unsupported: {
        readonly retryable: false;
        readonly says: "the provider or the model cannot do what was asked";
    };
    readonly "model-not-found": {
        readonly retryable: false;
        readonly says: "the backend does not have this model";
    };
    readonly "model-not-installed": {
        readonly retryable: false;
        readonly says: "the model is known, but it is not here yet";
    };
    readonly "model-load-failed": {
        readonly retryable: false;
        readonly says: "the model is here and could not be loaded";
    };
    readonly "out-of-memory": {
        readonly retryable: undefined;
        readonly says: "the memory does not suffice";
    };
    readonly "disk-full": {
        readonly retryable: false;
        readonly says: "the disk does not suffice";
    };
    readonly "context-overflow": {
        readonly retryable: false;
        readonly says: "the request does not fit the model's context window";
    };
    readonly "input-too-long": {
        readonly retryable: false;
        readonly says: "a text is longer than the embedding model reads";
    };
    readonly "content-filtered": {
        readonly retryable: false;
        readonly says: "the backend withheld the answer";
    };
    readonly "invalid-response": {
        readonly retryable: undefined;
        readonly says: "the backend's reply could not be understood";
    };
    readonly "stream-interrupted": {
        readonly retryable: true;
        readonly says: "the answer broke off before its end";
    };
    readonly "output-invalid": {
        readonly retryable: undefined;
        readonly says: "the model's output does not have the form that was asked for";
    };
    readonly "provider-internal": {
        readonly retryable: undefined;
        readonly says: "the provider or its backend failed in an unexpected way";
    };
    readonly "shut-down": {
        readonly retryable: false;
        readonly says: "the provider was closed";
    };
    readonly "plugin-invalid": {
        readonly retryable: false;
        readonly says: "a plugin's manifest or export breaks the contract";
    };
    readonly "plugin-incompatible": {
        readonly retryable: false;
        readonly says: "a plugin speaks a contract version that this host does not";
    };
    readonly "plugin-load-failed": {
        readonly retryable: false;
        readonly says: "a plugin's module could not be imported";
    };
    readonly "plugin-duplicate": {
        readonly retryable: false;
        readonly says: "two packages claim one provider id";
    };
};

export declare type ErrorCode = keyof typeof ERROR_CODES;

/** Where in a call the fault arose. */
export declare type ErrorPhase = "settings" | "connect" | "request" | "first-event" | "stream" | "load" | "pull" | "close";

export declare type EventBatch = readonly ChatEvent[];

/** What a provider's chat can pass on to its backend. */
export declare type Feature = "tools" | "json-schema" | "reasoning" | "vision";

export declare interface FilePart extends WithProviderData {
    readonly type: "file";
    /** An IANA media type, such as `image/png`. */
    readonly mediaType: string;
    readonly data: Uint8Array;
}

/** Last, and once. A stream that ends without it has failed. */
export declare interface FinishEvent {
    readonly type: "finish";
    readonly reason: FinishReason;
    readonly usage: Usage;
    readonly context: ContextReport;
    readonly timings?: Timings | undefined;
}

export declare interface FinishReason {
    readonly unified: "stop" | "length" | "tool-calls" | "content-filter" | "other";
    /** The backend's own word. */
    readonly raw: string | undefined;
}

/** A stream of single events over `open`, which is called at the first read. It can be read once. */
export declare function fromBatches(open: () => Pullable<EventBatch>): AsyncIterable<ChatEvent>;

/** The same over a source with hooks. */
export declare function fromSource(source: BatchSource): AsyncIterable<ChatEvent>;

/** The provider's stream, collected. There is no second way to generate, so the two cannot disagree. */
export declare function generate(provider: Provider, request: ChatRequest, options?: CallOptions): Promise<ChatResponse>;

export declare interface Health {
    readonly status: "ok" | "degraded" | "down";
    readonly version?: string | undefined;
    /** What is wrong. */
    readonly message?: string | undefined;
    /** What to do about it, such as the command that starts the backend. */
    readonly hint?: string | undefined;
}

/** What the application gives a provider beside its settings. */
export declare interface Host {
    /** The name the provider is made under. */
    readonly name: string;
    /** Model files of installed packages, in the formats that the plugin reads. They count as installed. */
    readonly models: readonly ModelFile[];
}

/** What is left of a provider with the core around it. */
export declare type Hosted<Made extends Provider> = Provider & Pick<Made, keyof Made & keyof Provider>;

/** The refusal of a plugin that speaks another contract. */
export declare function incompatible(from: string, contract: number): LlmError;

/** True for an `LlmError` of any copy of this package. */
export declare function isLlmError(value: unknown): value is LlmError;

/** True for what `defineProvider` of any copy of this package made. */
export declare function isProviderPlugin(value: unknown): value is AnyPlugin;

export declare interface JsonObject {
    readonly [key: string]: JsonValue | undefined;
}

export declare type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/**
 * A schema whose library is imported when the first value is checked, not when the plugin is: importing zod costs
 * several times what a plugin's import may.
 */
export declare function lazySchema<Settings>(load: () => Promise<SettingsSchema<Settings>>): SettingsSchema<Settings> & {
    readonly load: () => Promise<SettingsSchema<Settings>>;
};

/** The only error class. Recognise it with `isLlmError`: two copies of this package may be installed. */
export declare class LlmError extends Error {
    readonly name = "LlmError";
    readonly code: ErrorCode;
    readonly provider: string | undefined;
    readonly operation: string | undefined;
    readonly model: string | undefined;
    readonly phase: ErrorPhase | undefined;
    readonly retryable: boolean | undefined;
    readonly retryAfterMs: number | undefined;
    readonly status: number | undefined;
    readonly partial: PartialAnswer | undefined;
    readonly figures: Readonly<Record<string, number>> | undefined;
    readonly hint: string | undefined;
    constructor(code: ErrorCode, message: string, init?: LlmErrorInit);
    /** The error as data for a log or a reply: no stack, no cause, no answer text. */
    toJSON(): Record<string, unknown>;
}

export declare interface LlmErrorInit {
    readonly provider?: string | undefined;
    readonly operation?: string | undefined;
    readonly model?: string | undefined;
    readonly phase?: ErrorPhase | undefined;
    /** Default: what the code's row says. Give it only when the case is known better. */
    readonly retryable?: boolean | undefined;
    /** How long the backend asks to wait, in milliseconds. */
    readonly retryAfterMs?: number | undefined;
    /** The backend's HTTP status. */
    readonly status?: number | undefined;
    readonly partial?: PartialAnswer | undefined;
    /** Figures of a `context-overflow`, an `input-too-long` or an `out-of-memory`: tokens or bytes. */
    readonly figures?: Readonly<Record<string, number>> | undefined;
    /** What to do next, as one sentence for a person. */
    readonly hint?: string | undefined;
    /** What was thrown, untouched: a printed `LlmError` hides the secrets of its cause, the cause printed alone does not. */
    readonly cause?: unknown;
}

export declare interface LoadedModel {
    readonly id: string;
    /** The window that is really in force, in tokens. */
    readonly contextWindow?: number | undefined;
    readonly memoryBytes?: number | undefined;
    readonly gpuMemoryBytes?: number | undefined;
    readonly expiresAt?: Date | undefined;
}

export declare interface LoadRequest {
    readonly model: string;
    readonly contextWindow?: number | undefined;
    readonly keepAlive?: number | undefined;
    readonly providerOptions?: ChatRequest["providerOptions"];
}

export declare type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

export declare interface ModelCapabilities {
    readonly chat: Capability;
    readonly embedding: Capability;
    readonly rerank: Capability;
    readonly tools: Capability;
    readonly vision: Capability;
    readonly reasoning: Capability;
    readonly jsonSchema: Capability;
}

export declare interface ModelDescription extends ModelInfo {
    readonly capabilities: ModelCapabilities;
    /** The longest window the model was made for, in tokens. */
    readonly contextWindow?: number | undefined;
    readonly maxOutputTokens?: number | undefined;
    /** Length of its vectors. */
    readonly dimensions?: number | undefined;
    /** The longest text that its embedder reads, in tokens. */
    readonly maxInputTokens?: number | undefined;
    readonly estimatedMemoryBytes?: number | undefined;
    readonly license?: string | undefined;
}

/** One entry of a package's `llmModels`, its path made absolute. */
export declare interface ModelFile {
    readonly id: string;
    readonly format: ModelFormat;
    readonly task: ModelTask;
    /** A file, or for `onnx` the folder that holds it and its tokenizer. */
    readonly path: string;
    readonly bytes: number;
    readonly contextWindow?: number | undefined;
    readonly dimensions?: number | undefined;
    readonly license: string;
    readonly note?: string | undefined;
    /** Made to show how things work: comes last in any automatic choice. */
    readonly demonstration?: boolean | undefined;
    /** The package that carries it. */
    readonly packageName: string;
}

export declare type ModelFormat = "gguf" | "onnx";

/** A model that the backend has, as its list tells it. */
export declare interface ModelInfo {
    /** What `ChatRequest.model` takes. */
    readonly id: string;
    readonly task?: ModelTask | undefined;
    readonly sizeBytes?: number | undefined;
    readonly quantization?: string | undefined;
    readonly parameters?: number | undefined;
    readonly family?: string | undefined;
    readonly modifiedAt?: Date | undefined;
    readonly loaded?: boolean | undefined;
    /** Made to show how things work: comes last in any automatic choice. */
    readonly demonstration?: boolean | undefined;
    readonly note?: string | undefined;
    /** Why it cannot be used as it is, for instance a damaged file. */
    readonly problem?: string | undefined;
}

export declare type ModelTask = "chat" | "embedding" | "rerank";

export declare type Operation = keyof typeof OPERATIONS;

/** The manifest's word for each optional method. */
export declare const OPERATIONS: {
    readonly chat: "stream";
    readonly embed: "embed";
    readonly rerank: "rerank";
    readonly count: "countTokens";
    readonly health: "health";
    readonly list: "listModels";
    readonly describe: "describeModel";
    readonly pull: "pullModel";
    readonly delete: "deleteModel";
    readonly load: "loadModel";
    readonly unload: "unloadModel";
    readonly loaded: "loadedModels";
};

/** What had arrived before a stream broke. Only what is known is there. */
export declare interface PartialAnswer {
    readonly text: string;
    readonly reasoning: string;
    readonly toolCalls: readonly ToolCallEvent[];
    readonly usage?: Usage | undefined;
}

/** A plugin that was found and can be imported. */
export declare interface PluginCandidate {
    readonly packageName: string;
    readonly packageVersion: string;
    readonly manifest: ProviderManifest;
    /** Imports the module. What it gives is not trusted yet. */
    readonly load: () => Promise<unknown>;
}

export declare interface PluginEntry {
    readonly id: string;
    /** From which package; `undefined` for one that was registered by hand. */
    readonly packageName?: string | undefined;
    readonly packageVersion?: string | undefined;
    readonly manifest?: ProviderManifest | undefined;
}

/**
 * One configured connection to one backend.
 *
 * Every method rejects with an `LlmError` and with nothing else (`health` never rejects).
 * Every method that takes a `signal` stops the work at the backend, not only the promise.
 * A provider keeps no conversation: the same request may be sent to another one.
 * A provider never retries, and never pulls a model because a chat asked for it.
 * Each optional method is present exactly when the manifest's operations name it.
 */
export declare interface Provider {
    /** The name it was made under, by default the plugin's id. Used in model references, errors and metrics. */
    readonly name: string;
    /** One assistant message, in events: one `start` first, one `finish` last. Leaving the loop early cancels the call. */
    stream?(request: ChatRequest, options?: CallOptions): AsyncIterable<ChatEvent>;
    /** Texts in, vectors of length 1 out, in order. A text too long is `input-too-long`, never cut. */
    embed?(request: EmbedRequest, options?: CallOptions): Promise<EmbedResponse>;
    /** How well each document answers the query, in the order given. */
    rerank?(request: RerankRequest, options?: CallOptions): Promise<RerankResponse>;
    /** Tokens as the model itself counts them. */
    countTokens?(request: CountRequest, options?: CallOptions): Promise<CountResponse>;
    /** Whether the backend can be used now. Never rejects, changes nothing, answers within two seconds. */
    health?(options?: CallOptions): Promise<Health>;
    /** The models that can be used now, each under the id that `stream` and `embed` take. */
    listModels?(options?: CallOptions): Promise<readonly ModelInfo[]>;
    /** What is known of one model. An unknown one is `model-not-found`. */
    describeModel?(model: string, options?: CallOptions): Promise<ModelDescription>;
    /** Fetches a model. Progress never falls; leaving the loop cancels; pulling again resumes; pulls of one model share the work. */
    pullModel?(request: PullRequest, options?: CallOptions): AsyncIterable<PullProgress>;
    /** Removes a model from the backend's disk. */
    deleteModel?(model: string, options?: CallOptions): Promise<void>;
    /** Loads a model, once however often it is asked, and tells the window that is really in force. */
    loadModel?(request: LoadRequest, options?: CallOptions): Promise<LoadedModel>;
    /** Frees a model's memory. One that is not loaded is no error. */
    unloadModel?(model: string, options?: CallOptions): Promise<void>;
    loadedModels?(options?: CallOptions): Promise<readonly LoadedModel[]>;
    /** Ends running calls and frees all that is held: sockets, timers, child processes. Idempotent. Later calls fail with `shut-down`. */
    close(): Promise<void>;
}

export declare interface ProviderChoice {
    /** Id of the plugin. Default: the name. */
    readonly plugin?: string | undefined;
    readonly settings?: object | undefined;
}

/** What a plugin's author writes. */
export declare interface ProviderDefinition<Settings, Made extends Provider> {
    /** Equal to the manifest's id. */
    readonly id: string;
    /** Equal to the manifest's contract version. */
    readonly contract: number;
    /** Equal to the manifest's features. What is not here is refused before the provider is called. */
    readonly features?: readonly Feature[] | undefined;
    /** Strict: an unknown key is an issue that names its path. It checks and changes nothing: `create` gets what the application gave. */
    readonly settings: SettingsSchema<Settings>;
    /** Does nothing but make the object: no socket, file, environment or console before the first operation, and no look at the settings' values. */
    readonly create: (settings: Settings, host: Host) => Made;
}

/** What a plugin's package.json says under `llmProvider`: enough to list, filter and refuse it without running its code. */
export declare interface ProviderManifest {
    readonly contract: number;
    readonly id: string;
    /** The built module, relative to the package: `./dist/index.js`. */
    readonly entry: string;
    readonly operations: readonly Operation[];
    readonly features: readonly Feature[];
    /** Files of model packages that it reads. */
    readonly modelFormats: readonly ModelFormat[];
    /** JSON Schema of the settings, relative to the package. */
    readonly settingsSchema?: string | undefined;
    /** Report of the conformance kit, as JSON, relative to the package. */
    readonly conformance?: string | undefined;
}

export declare interface ProviderPlugin<Settings = never, Made extends Provider = Provider> {
    readonly id: string;
    readonly contract: number;
    readonly features: readonly Feature[];
    readonly settings: SettingsSchema<unknown>;
    /** The provider, with the promises that the core keeps for every plugin around it. Settings are checked at its first operation. */
    readonly create: (settings?: Settings, host?: Partial<Host>) => Made;
}

/** An iterator that can also answer by a call: a promise in each layer would be paid for every token that comes alone. */
export declare interface Pullable<Value> extends AsyncIterator<Value> {
    /** `next` without its promise: the reader is answered at once or later. The next pull comes after that. */
    pull?(reader: Reader<Value>): void;
}

/** `fraction` never falls and ends at 1; without known sizes it is left out. */
export declare interface PullProgress {
    readonly status: "resolving" | "downloading" | "verifying" | "done";
    readonly fraction?: number | undefined;
    readonly receivedBytes?: number | undefined;
    readonly totalBytes?: number | undefined;
    /** The id under which the model can now be used; with `done`. */
    readonly model?: string | undefined;
}

export declare interface PullRequest {
    readonly model: string;
}

export declare interface RawEvent {
    readonly type: "raw";
    readonly value: unknown;
}

/** Who waits for a read: one of the two is called, once and as its method, and neither throws. Both stay as they are. */
export declare interface Reader<Value> {
    onRead(read: IteratorResult<Value>): void;
    onFault(error: unknown): void;
}

export declare interface ReasoningDeltaEvent {
    readonly type: "reasoning-delta";
    readonly id: string;
    readonly text: string;
}

export declare type ReasoningEffort = "none" | "low" | "medium" | "high";

export declare interface ReasoningEndEvent {
    readonly type: "reasoning-end";
    readonly id: string;
    /** What the provider wants back with this part in the next request. */
    readonly providerData?: JsonObject | undefined;
}

export declare interface ReasoningPart extends WithProviderData {
    readonly type: "reasoning";
    readonly text: string;
}

export declare interface ReasoningStartEvent {
    readonly type: "reasoning-start";
    readonly id: string;
}

/** The text with everything that looks like a credential replaced. */
export declare function redact(text: string): string;

export declare interface Registry {
    /** Adds a plugin by hand. It wins over a discovered one of the same id; a second registration of an id is `plugin-duplicate`. */
    register(plugin: AnyPlugin, manifest?: ProviderManifest): void;
    /** The plugins, from manifests alone: nothing is imported. */
    list(): readonly PluginEntry[];
    /** The names that `provider` knows: those configured, then the plugins' ids. */
    names(): readonly string[];
    /** The model files of installed packages. */
    models(format?: ModelFormat): readonly ModelFile[];
    /** The provider of that name, imported and made at first use, then always the same one. */
    provider(name: string): Promise<Provider>;
    /** `provider/model`, split at the first slash. */
    resolve(reference: string): Promise<{
        readonly provider: Provider;
        readonly model: string;
    }>;
    /** For every package that was looked at, why it was or was not used. */
    diagnostics(): readonly Diagnostic[];
    /** Closes every provider that was made. */
    close(): Promise<void>;
}

export declare interface RegistryOptions {
    /** What `discover` of the subpath `./discovery` found. Left out: only what is registered. */
    readonly discovery?: Discovery | undefined;
    /** Providers under names of the application's own. Every plugin also answers to its id, with default settings. */
    readonly providers?: Readonly<Record<string, ProviderChoice>> | undefined;
    /** How long a plugin's import may take, in milliseconds. Default 10 000. */
    readonly importTimeoutMs?: number | undefined;
}

/** The provider's method for `operation`, or `unsupported` with the operations that it has. */
export declare function requireOperation<Wanted extends Operation>(provider: Provider, operation: Wanted): NonNullable<Provider[(typeof OPERATIONS)[Wanted]]>;

export declare interface RerankRequest {
    readonly model: string;
    readonly query: string;
    readonly documents: readonly string[];
    readonly keepAlive?: number | undefined;
}

export declare interface RerankResponse {
    readonly model: string;
    /** One for each document, in the order given; higher fits better. */
    readonly scores: readonly number[];
}

export declare type ResponseFormat = {
    readonly type: "text";
} | {
    readonly type: "json";
    readonly schema?: JsonObject | undefined;
    readonly name?: string | undefined;
};

export declare interface SettingsIssue {
    readonly message: string;
    readonly path?: readonly (PropertyKey | {
        readonly key: PropertyKey;
    })[] | undefined;
}

export declare type SettingsResult<Settings> = {
    readonly value: Settings;
    readonly issues?: undefined;
} | {
    readonly issues: readonly SettingsIssue[];
};

/** The part of the Standard Schema specification (standardschema.dev, version 1) that a plugin's settings need. */
export declare interface SettingsSchema<Settings = unknown> {
    readonly "~standard": {
        readonly version: 1;
        readonly vendor: string;
        readonly validate: (value: unknown) => SettingsResult<Settings> | Promise<SettingsResult<Settings>>;
        readonly types?: {
            readonly input: unknown;
            readonly output: Settings;
        } | undefined;
    };
}

/** First, and once. */
export declare interface StartEvent {
    readonly type: "start";
    readonly model: string;
    readonly warnings: readonly Warning[];
}

/** Why nothing comes yet. */
export declare interface StatusEvent {
    readonly type: "status";
    readonly status: "queued" | "loading" | "prefill";
    /** From 0 to 1, where it is known. */
    readonly progress?: number | undefined;
}

export declare interface SystemMessage {
    readonly role: "system";
    readonly content: string;
}

export declare interface TextDeltaEvent {
    readonly type: "text-delta";
    readonly id: string;
    readonly text: string;
}

export declare interface TextEndEvent {
    readonly type: "text-end";
    readonly id: string;
    /** What the provider wants back with this part in the next request. */
    readonly providerData?: JsonObject | undefined;
}

export declare interface TextPart extends WithProviderData {
    readonly type: "text";
    readonly text: string;
}

export declare interface TextStartEvent {
    readonly type: "text-start";
    readonly id: string;
}

/** Milliseconds; `Infinity` switches one off. */
export declare interface Timeouts {
    /** Until the backend accepts the connection. Default 5 000. */
    readonly connect?: number | undefined;
    /** Until the first event: a backend may load, queue and read the prompt in silence. Default 600 000. */
    readonly firstEvent?: number | undefined;
    /** Between two signs of life after that. Default 120 000. */
    readonly idle?: number | undefined;
    /** Of the whole call. Default none. */
    readonly total?: number | undefined;
}

/** Milliseconds, as the backend or the engine measured them. */
export declare interface Timings {
    readonly queueMs?: number | undefined;
    readonly loadMs?: number | undefined;
    readonly promptMs?: number | undefined;
    readonly generationMs?: number | undefined;
}

/** `error` itself where it is an `LlmError`, with what `known` adds; anything else wrapped as `code`, its text kept. */
export declare function toLlmError(error: unknown, code: ErrorCode, known?: LlmErrorInit): LlmError;

/** One whole call. `input` is there when `inputText` is JSON (no text at all means `{}`), else `inputError` says why not. */
export declare interface ToolCallEvent {
    readonly type: "tool-call";
    /** Unique within the answer, also where the backend gave none or one twice. */
    readonly id: string;
    readonly name: string;
    /** The arguments as the model wrote them. */
    readonly inputText: string;
    readonly input?: JsonValue | undefined;
    readonly inputError?: string | undefined;
    /** What the provider wants back with this part in the next request. */
    readonly providerData?: JsonObject | undefined;
}

export declare interface ToolCallPart extends WithProviderData {
    readonly type: "tool-call";
    readonly id: string;
    readonly name: string;
    readonly input: JsonValue;
}

export declare type ToolChoice = "auto" | "none" | "required" | {
    readonly name: string;
};

export declare interface ToolDefinition {
    readonly name: string;
    readonly description?: string | undefined;
    /** JSON Schema of the input, an object. Left out: no arguments. */
    readonly inputSchema?: JsonObject | undefined;
}

export declare interface ToolInputDeltaEvent {
    readonly type: "tool-input-delta";
    readonly id: string;
    readonly text: string;
}

export declare interface ToolInputEndEvent {
    readonly type: "tool-input-end";
    readonly id: string;
}

export declare interface ToolInputStartEvent {
    readonly type: "tool-input-start";
    readonly id: string;
    readonly name: string;
}

export declare interface ToolMessage {
    readonly role: "tool";
    readonly content: readonly ToolResultPart[];
}

export declare interface ToolResultPart extends WithProviderData {
    readonly type: "tool-result";
    /** The id of the call that this answers. */
    readonly id: string;
    readonly name: string;
    readonly output: JsonValue;
    readonly isError?: boolean | undefined;
}

/** Tokens. What the backend does not tell is `undefined`, never 0. */
export declare interface Usage {
    /** The whole prompt, cached tokens included. */
    readonly inputTokens: number | undefined;
    /** All that was generated, reasoning included. */
    readonly outputTokens: number | undefined;
    /** The part of the prompt that was not evaluated again. */
    readonly cachedInputTokens?: number | undefined;
    readonly reasoningTokens?: number | undefined;
}

export declare interface UserMessage {
    readonly role: "user";
    readonly content: string | readonly (TextPart | FilePart)[];
}

/** Something that was asked for and not done, or done differently. */
export declare interface Warning {
    readonly code: "unsupported" | "dropped" | "adjusted" | "other";
    /** The request's option that this is about. */
    readonly option?: string | undefined;
    readonly message: string;
}

/** A copy of `error` in which what it does not say itself is filled from `known`. */
export declare function withDetails(error: LlmError, known: LlmErrorInit): LlmError;

/** What a provider left on a part for itself. It comes back untouched and nobody else reads it. */
declare interface WithProviderData {
    readonly providerData?: JsonObject | undefined;
}

export { }
