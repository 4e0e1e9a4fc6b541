/** Why something of the live tier is not here, in words to print when its tests are skipped. */
export interface Missing {
  readonly missing: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Wheel {
  readonly package: string;
  readonly version: string;
  readonly sha256: string;
  readonly megabytes: number;
  /** The engine or the model file inside. */
  readonly provides: string;
  readonly inside: string;
  readonly executable: boolean;
  /** `process.platform-process.arch`; absent when it runs everywhere. */
  readonly platforms?: readonly string[];
  readonly glibc?: string;
  /** What its arithmetic wants of the processor, in Linux's words, and the library that it is in. */
  readonly arithmetic?: { readonly needs: string; readonly library: string };
}

export declare const enginesFolder: string;
export declare const wheels: readonly Wheel[];
export declare function folderOf(wheel: Wheel): string;

/** The same program for a processor without what its arithmetic wants. */
export declare function portableFolderOf(wheel: Wheel): string;

/** The path of a real engine's program, or why there is none. */
export declare function findEngine(name: "llama-server", env?: Environment): string | Missing;

/** The path of a real model's file or folder, or why there is none. */
export declare function findModel(name: string, env?: Environment): string | Missing;

export declare function isMissing(found: string | Missing): found is Missing;

/** For use inside a test: the path, or the test ends here as skipped, with the reason in the report. */
export declare function present(context: { skip(note?: string): never }, found: string | Missing): string;
