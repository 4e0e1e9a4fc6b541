import { existsSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import type { Subject } from "../subject.ts";
import { usageFault } from "./arguments.ts";

const DEFAULTS = ["ts", "mts", "js", "mjs"].map((end) => `conformance.subject.${end}`);

/** The subject that a file exports. Throws a fault that says what is wrong with the file. */
export async function readSubject(name: string | undefined, folder: string): Promise<Subject> {
  const file = fileOf(name, folder);
  const shown = relative(folder, file) || file;
  const loaded = await load(file, shown);
  if (!("default" in loaded)) {
    throw usageFault(`${shown} has no default export`, "export default defineSubject({ … })");
  }
  const subject = loaded.default;
  const lacking = lackOf(subject);
  if (lacking !== undefined) {
    throw usageFault(
      `the default export of ${shown} is no subject: ${lacking}`,
      "make it with defineSubject of @enginehouse/llm-conformance: the types tell what is missing",
    );
  }
  return subject as Subject;
}

function fileOf(name: string | undefined, folder: string): string {
  if (name !== undefined) {
    const file = resolve(folder, name);
    if (!existsSync(file)) throw usageFault(`there is no file ${name}`, `it was looked for at ${file}`);
    if (!statSync(file).isFile())
      throw usageFault(`${name} is no file`, "name the file whose default export is the subject");
    return file;
  }
  const found = DEFAULTS.map((one) => resolve(folder, one)).find((file) => existsSync(file));
  if (found === undefined) {
    throw usageFault(
      `there is no ${DEFAULTS[0]} here`,
      "name the subject's file: llm-conformance run ./my-subject.js",
    );
  }
  return found;
}

async function load(file: string, shown: string): Promise<object> {
  try {
    return (await import(pathToFileURL(file).href)) as object;
  } catch (cause) {
    const { code, message } = cause as { readonly code?: string; readonly message?: string };
    if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
      throw usageFault(
        `this Node cannot read ${shown}`,
        "TypeScript needs Node 22.18 or later; or name a .js file",
      );
    }
    throw usageFault(`${shown} could not be imported: ${message ?? String(cause)}`, stackOf(cause, file));
  }
}

/** Where in the author's own code it went wrong. */
function stackOf(cause: unknown, file: string): string | undefined {
  const lines = cause instanceof Error ? (cause.stack ?? "").split("\n") : [];
  return lines.find((line) => line.includes(pathToFileURL(file).pathname))?.trim();
}

function lackOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return `it is ${value === null ? "null" : typeof value}`;
  const { package: place, plugin, backend, settings } = value as Partial<Record<keyof Subject, unknown>>;
  if (!(place instanceof URL)) return "`package` is no URL";
  if (typeof plugin !== "function" && (typeof plugin !== "object" || plugin === null))
    return "`plugin` is missing";
  const start = (backend as { readonly start?: unknown } | undefined)?.start;
  if (typeof start !== "function") return "`backend` has no start()";
  if (typeof settings !== "function") return "`settings` is no function";
  return undefined;
}
