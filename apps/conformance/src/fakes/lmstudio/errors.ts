import type { JsonObject } from "@enginehouse/llm-core";

import type { Refusal } from "../../scenario.ts";

/** An error as it travels: a title, and for some a code with what belongs to it. */
export interface WireError {
  readonly title: string;
  readonly displayData?: JsonObject | undefined;
}

/** Thrown inside an endpoint, and told to the client as the wire tells errors. */
export const failure = (error: WireError): Error => Object.assign(new Error(error.title), { wire: error });

export const wireErrorOf = (error: unknown): JsonObject => {
  const wire: WireError | undefined =
    error instanceof Error && "wire" in error ? (error.wire as WireError) : undefined;
  const title = wire?.title ?? (error instanceof Error ? error.message : String(error));
  const { displayData } = wire ?? {};
  return { title, rootTitle: title, ...(displayData === undefined ? {} : { displayData }) };
};

export const noSuchModel = (path: string, known: readonly string[]): Error =>
  failure({
    title: `Cannot find model of model key "${path}".`,
    displayData: {
      code: "generic.pathNotFound",
      path,
      availablePathsSample: known.slice(0, 10),
      totalModels: known.length,
    },
  });

export const wrongDomain = (path: string, actualDomain: string, expectedDomain: string): Error =>
  failure({
    title: "Model has wrong domain",
    displayData: { code: "generic.domainMismatch", path, actualDomain, expectedDomain },
  });

export const notLoaded = (identifier: string, loaded: readonly string[]): Error =>
  failure({
    title: "No model found that fits the query.",
    displayData: {
      code: "generic.noModelMatchingQuery",
      query: { identifier },
      loadedModelsSample: [...loaded],
      totalLoadedModels: loaded.length,
    },
  });

export const unloaded = (): Error =>
  failure({ title: "Model is unloaded.", displayData: { code: "generic.specificModelUnloaded" } });

/** A socket has no status: what remains of a refusal is its words. */
export const refused = (refusal: Refusal): Error =>
  failure({ title: refusal.message ?? BECAUSE[refusal.because ?? "other"] ?? `refused (${refusal.status})` });

const BECAUSE: Readonly<Record<string, string>> = {
  "model-missing": "No model found that fits the query.",
  overflow: "The prompt does not fit the context length of the model.",
  "too-long": "The text does not fit the context length of the model.",
  "out-of-memory": "Model loading was stopped due to insufficient system resources.",
  "output-cut": "Failed to parse tool call: Unexpected end of content",
};
