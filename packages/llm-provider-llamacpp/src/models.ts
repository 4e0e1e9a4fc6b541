// Signatures first; bodies follow.
import type {
  CallOptions,
  ModelDescription,
  ModelFile,
  ModelInfo,
  PullProgress,
} from "@enginehouse/llm-core";

export interface ModelStoreOptions {
  /** Name of the provider for errors. */
  readonly name: string;
  readonly modelsDir: string;
  /** Model files of packages: they count as installed. */
  readonly packaged: readonly ModelFile[];
  /** Where `hf:` references are looked up. */
  readonly hubUrl: string;
  readonly hubToken?: string | undefined;
  /** Plain http beyond loopback; default false. */
  readonly allowInsecureDownloads?: boolean | undefined;
  /** A download without a byte for so long fails with `timeout`. Default 60 000. */
  readonly pullStallMs?: number | undefined;
}

/** One installed model, ready to load. */
export interface InstalledModel {
  readonly id: string;
  readonly path: string;
  readonly source: "folder" | "package";
  readonly demonstration: boolean;
}

export interface ModelStore {
  list(options?: CallOptions): Promise<readonly ModelInfo[]>;
  describe(model: string, options?: CallOptions): Promise<ModelDescription>;
  /** Throws `model-not-found`, or `model-load-failed` for a damaged file, before anything native sees it. */
  resolve(model: string): Promise<InstalledModel>;
  pull(request: { readonly model: string }, options?: CallOptions): AsyncIterable<PullProgress>;
  delete(model: string): Promise<{ readonly freedBytes: number }>;
  /** Ends running pulls; the parts stay. */
  close(): Promise<void>;
}

export declare function createModelStore(options: ModelStoreOptions): ModelStore;
