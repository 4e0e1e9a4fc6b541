import type { Diagnostic, ModelFile } from "../manifest.ts";
import type { InstalledPlugin } from "./plugin.ts";

/** A dependency that is installed, and what its package.json says. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** What was found in a dependency, and the line that tells so. */
export interface Finding {
  readonly diagnostic: Diagnostic;
  readonly plugin?: InstalledPlugin | undefined;
  readonly models?: readonly ModelFile[] | undefined;
}
