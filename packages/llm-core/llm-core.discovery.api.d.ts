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

/**
 * The provider plugins and model packages among the direct dependencies of the application, by what their
 * package.json says: none of their code runs before a candidate's `load` is called. Nothing transitive is found, no
 * folder is searched and no name counts. A bad package is a diagnostic and spoils no other.
 */
export declare function discover({ from, allow, deny }?: DiscoverOptions): Promise<InstalledDiscovery>;

export declare interface DiscoverOptions {
    /** A file or folder of the application, such as `import.meta.url`. Default: the working directory. */
    readonly from?: string | URL | undefined;
    /** Names of packages or ids of providers: no others are used. Default: all. */
    readonly allow?: readonly string[] | undefined;
    /** Names of packages or ids of providers that are not used, whatever `allow` says. */
    readonly deny?: readonly string[] | undefined;
}

/** What discovery hands to a registry. */
export declare interface Discovery {
    readonly plugins: readonly PluginCandidate[];
    readonly models: readonly ModelFile[];
    readonly diagnostics: readonly Diagnostic[];
}

/**
 * Every fault of the house has one of these codes. `retryable` says whether the same request, sent again
 * unchanged, may succeed: `undefined` means that the code alone does not tell.
 */
declare const ERROR_CODES: {
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

declare type ErrorCode = keyof typeof ERROR_CODES;

/** What a provider's chat can pass on to its backend. */
declare type Feature = "tools" | "json-schema" | "reasoning" | "vision";

/**
 * A module that a bundler can follow, for applications without `node_modules` beside them. Its export `discovery` takes
 * the place of what `discover` finds; each plugin is still imported at its first use. Model files are not bundled.
 */
export declare function generateStaticImports(found: InstalledDiscovery, { outFile }: StaticImportsOptions): string;

export declare interface InstalledDiscovery extends Discovery {
    readonly plugins: readonly InstalledPlugin[];
}

/** A candidate, and where its code is. */
export declare interface InstalledPlugin extends PluginCandidate {
    /** Path of its entry. */
    readonly entry: string;
    /** What imports its entry by name, unless its package does not export it. */
    readonly specifier: string | undefined;
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

declare type ModelFormat = "gguf" | "onnx";

declare type ModelTask = "chat" | "embedding" | "rerank";

declare type Operation = keyof typeof OPERATIONS;

/** The manifest's word for each optional method. */
declare const OPERATIONS: {
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

/** A plugin that was found and can be imported. */
export declare interface PluginCandidate {
    readonly packageName: string;
    readonly packageVersion: string;
    readonly manifest: ProviderManifest;
    /** Imports the module. What it gives is not trusted yet. */
    readonly load: () => Promise<unknown>;
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

export declare interface StaticImportsOptions {
    /** The file that will hold the module: what a package does not export is imported relative to it. A name that ends in `.ts` gives TypeScript. */
    readonly outFile: string | URL;
}

export { }
