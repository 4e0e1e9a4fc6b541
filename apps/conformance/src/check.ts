import type { Feature, Operation, Provider } from "@enginehouse/llm-core";

import type { Backend, WireAbility } from "./backend.ts";
import type { Scenario } from "./scenario.ts";
import type { Subject, SubjectManifest } from "./subject.ts";

/** One promise, and how it is tried. */
export interface Check {
  /** `S08` */
  readonly id: string;
  readonly group: Group;
  /** One sentence that holds for every provider, in the words of the contract. */
  readonly promise: string;
  /** Why anybody should care: what goes wrong for users where it is broken. */
  readonly why: string;
  /** The usual causes of a failure, and what to do about each. Printed with a failure. */
  readonly fix: string;
  readonly needs?: Needs | undefined;
  /** Throws an `AssertionError` whose message says what was seen. Milliseconds allowed: `limitMs`, default 10 000. */
  readonly run: (bench: Bench) => Promise<void>;
  readonly limitMs?: number | undefined;
}

export const GROUPS = {
  P: "packaging",
  C: "settings",
  S: "stream shape",
  A: "abort and close",
  F: "faults",
  U: "usage and finish",
  X: "context",
  T: "tools",
  J: "structured output",
  R: "reasoning",
  E: "embeddings",
  L: "lifecycle",
  K: "capabilities and policy",
} as const;

export type Group = keyof typeof GROUPS;

/** Where one is missing, the check is skipped with that reason. */
export interface Needs {
  /** Declared in the manifest. */
  readonly operations?: readonly Operation[] | undefined;
  readonly features?: readonly Feature[] | undefined;
  /** Words of the wire. */
  readonly wire?: readonly WireAbility[] | undefined;
  /** One of these is a setting, as the schema of the settings tells that the manifest names. */
  readonly settings?: readonly string[] | undefined;
}

/** What a check works with. */
export interface Bench {
  readonly subject: Subject;
  readonly manifest: SubjectManifest;
  /** The folder of the plugin's package.json. */
  readonly folder: URL;
  /** A backend that plays the scenario, and a provider in front of it. Both are closed, and looked at for leaks, after the check. */
  start(scenario?: Scenario, settings?: object): Promise<Stand>;
  /** Aborted when the check's time is over. */
  readonly signal: AbortSignal;
  /** From 0 to 1, the same row for the same seed. */
  readonly random: () => number;
  /** Kept for the report: what was seen on the wire or from the provider, in one line. */
  saw(what: string): void;
}

export interface Stand {
  readonly provider: Provider;
  readonly backend: Backend;
  /** The chat model's name: what most checks need. */
  readonly model: string;
}
