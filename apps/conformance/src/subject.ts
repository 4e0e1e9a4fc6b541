import type { AnyPlugin, ProviderManifest } from "@enginehouse/llm-core";

import type { Backend, FakeBackend } from "./backend.ts";

/** What the kit tests: one plugin, and the backend that it is put in front of. */
export interface Subject {
  /** Where the plugin's package.json is; its manifest says what is checked. */
  readonly package: URL;
  /** The default export, or how to get it. */
  readonly plugin: AnyPlugin | (() => Promise<AnyPlugin>);
  /** What a process of its own imports to get the plugin. Default: the manifest's entry, which is built. */
  readonly module?: URL | undefined;
  readonly backend: FakeBackend;
  /** Settings that lead to the backend, with its key where it has one. */
  readonly settings: (backend: Backend) => object;
  /** Settings of a wrong type, or with a value out of range: each must be refused before any request. Default: what the settings' schema tells. */
  readonly wrongSettings?: readonly object[] | undefined;
  /** Faults that are known, each with a link and a date: after that date, and as soon as the check passes, it fails. */
  readonly knownFailures?: readonly KnownFailure[] | undefined;
  readonly live?: LiveSubject | undefined;
}

/** The manifest, with what the kit reads beside it. */
export interface SubjectManifest extends ProviderManifest {
  /** The names of the settings, where the manifest's `settingsSchema` can be read. */
  readonly settings?: readonly string[] | undefined;
}

export interface KnownFailure {
  readonly check: string;
  readonly issue: string;
  /** `2027-01-31`, the last day on which it counts as known: at most a year ahead. */
  readonly until: string;
}

/** A real backend, named by the one who runs the kit and never by a setting of the machine. */
export interface LiveSubject {
  readonly settings: (live: { readonly url: string; readonly key?: string | undefined }) => object;
}

/** Keeps the types of a subject file; returns what it was given. */
export const defineSubject = (subject: Subject): Subject => subject;
