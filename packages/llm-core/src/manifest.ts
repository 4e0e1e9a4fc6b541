import type { ErrorCode } from "./errors.ts";
import type { ModelTask } from "./model.ts";
import type { Feature, Operation } from "./provider.ts";

/** What a plugin's package.json says under `llmProvider`: enough to list, filter and refuse it without running its code. */
export interface ProviderManifest {
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

export type ModelFormat = "gguf" | "onnx";

/** One entry of a package's `llmModels`, its path made absolute. */
export interface ModelFile {
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

/** A plugin that was found and can be imported. */
export interface PluginCandidate {
  readonly packageName: string;
  readonly packageVersion: string;
  readonly manifest: ProviderManifest;
  /** Imports the module. What it gives is not trusted yet. */
  readonly load: () => Promise<unknown>;
}

/** Why a package was, or was not, used. */
export interface Diagnostic {
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
export interface Discovery {
  readonly plugins: readonly PluginCandidate[];
  readonly models: readonly ModelFile[];
  readonly diagnostics: readonly Diagnostic[];
}
