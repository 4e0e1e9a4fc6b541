import { readFileSync } from "node:fs";

import { LlmError, type ProviderManifest } from "@enginehouse/llm-core";

import type { Subject, SubjectManifest } from "../subject.ts";

/** What is known of a subject before its code runs. */
export interface SubjectPackage {
  readonly name: string;
  readonly version: string;
  /** The folder of package.json, with a slash at its end. */
  readonly folder: URL;
  /** As it is written, lists that are missing being empty: whether it is valid is for a check to say. */
  readonly manifest: SubjectManifest;
}

/** Reads the plugin's package.json, at `subject.package` or in that folder. */
export function readSubjectPackage(subject: Pick<Subject, "package">): SubjectPackage {
  const file = fileOf(subject.package);
  const written = readJson(file);
  const llmProvider = written["llmProvider"];
  if (!isRecord(llmProvider)) {
    throw new LlmError("plugin-invalid", `${file.pathname} has no "llmProvider"`, {
      hint: "the subject's `package` is the URL of the plugin's package.json: new URL(\"./package.json\", import.meta.url)",
    });
  }
  const folder = new URL(".", file);
  return {
    name: textOf(written["name"], "(no name)"),
    version: textOf(written["version"], "(no version)"),
    folder,
    manifest: {
      ...(llmProvider as unknown as ProviderManifest),
      operations: listOf(llmProvider["operations"]) as ProviderManifest["operations"],
      features: listOf(llmProvider["features"]) as ProviderManifest["features"],
      modelFormats: listOf(llmProvider["modelFormats"]) as ProviderManifest["modelFormats"],
      settings: settingsOf(llmProvider["settingsSchema"], folder),
    },
  };
}

function fileOf(place: URL): URL {
  if (place.pathname.endsWith("package.json")) return place;
  return new URL("package.json", place.pathname.endsWith("/") ? place : new URL(`${place.href}/`));
}

function readJson(file: URL): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (isRecord(value)) return value;
    throw new TypeError("it is no object");
  } catch (cause) {
    throw new LlmError("plugin-invalid", `${file.pathname} could not be read: ${(cause as Error).message}`, {
      hint: "the subject's `package` is the URL of the plugin's package.json",
      cause,
    });
  }
}

/** Whether the schema is there and good is for checks to say; here it only tells which settings there are. */
function settingsOf(path: unknown, folder: URL): readonly string[] | undefined {
  if (typeof path !== "string") return undefined;
  try {
    const schema: unknown = JSON.parse(readFileSync(new URL(path, folder), "utf8"));
    return isRecord(schema) && isRecord(schema["properties"]) ? Object.keys(schema["properties"]) : undefined;
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);
const listOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
