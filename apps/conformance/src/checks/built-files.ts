import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";

export interface BuiltFile {
  readonly url: URL;
  readonly text: string;
}

const STATIC = /(?:^|[;}\n\r])\s*(?:import|export)\b(?:[\s\w*{},$]*?\bfrom)?\s*["']([^"'\n]+)["']/g;
const DYNAMIC = /\b(?:import|require)\(\s*(?:\/\*[^*]*\*\/\s*)?["']([^"'\n]+)["']\s*\)/g;
const BESIDE = /new URL\(\s*["'](\.[^"'\n]+\.[cm]?js)["']\s*,\s*import\.meta\.url/g;

const specifiersIn = (text: string): readonly string[] =>
  [STATIC, DYNAMIC, BESIDE].flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = ""]) => name));

/** The entry, and the files of the package that it leads to. */
export async function builtFiles(entry: URL): Promise<readonly BuiltFile[]> {
  return reached(entry, (url) => [url]);
}

/** The packages whose names stand in imports, without those of Node. */
export function importedPackages(files: readonly BuiltFile[]): readonly string[] {
  const names = files.flatMap(({ text }) => specifiersIn(text)).flatMap((name) => packageOf(name) ?? []);
  return [...new Set(names)].toSorted();
}

/** What the package.json lets its code import. */
export function declaredDependencies(content: Readonly<Record<string, unknown>>): readonly string[] {
  return ["dependencies", "peerDependencies", "optionalDependencies"].flatMap((field) =>
    Object.keys((content[field] ?? {}) as object),
  );
}

/** What only the library itself has in its code. */
const MARKS: readonly (readonly [name: string, mark: RegExp])[] = [
  ["@enginehouse/llm-core", /Symbol\.for\(["'`]enginehouse\.provider-plugin["'`]\)[\s\S]*no Standard Schema/],
  ["zod", /["'`]\$ZodType["'`]|ZodFirstPartyTypeKind/],
];

/** Libraries whose code is in the files themselves. */
export const inlinedCopies = (files: readonly BuiltFile[]): readonly string[] =>
  MARKS.filter(([, mark]) => files.some(({ text }) => mark.test(text))).map(([name]) => name);

/** The packages that the published types name. None where nothing is published. */
export async function typesReached(
  content: Readonly<Record<string, unknown>>,
  folder: URL,
): Promise<readonly string[]> {
  const types = typesOf(content["exports"]) ?? content["types"];
  if (typeof types !== "string") return [];
  const files = await reached(new URL(types, folder), (url) => {
    const { href } = url;
    return [href.replace(/\.[cm]?js$/, ".d.ts"), href.replace(/\.[cm]?ts$/, ".d.ts"), href].map(
      (one) => new URL(one),
    );
  });
  return importedPackages(files);
}

async function reached(first: URL, places: (url: URL) => readonly URL[]): Promise<readonly BuiltFile[]> {
  const files = new Map<string, BuiltFile>();
  const waiting = [first];
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (files.has(url.href)) continue;
    const text = await firstText(places(url));
    if (text === undefined) continue;
    files.set(url.href, { url, text });
    for (const name of specifiersIn(text)) if (name.startsWith(".")) waiting.push(new URL(name, url));
  }
  return [...files.values()];
}

async function firstText(urls: readonly URL[]): Promise<string | undefined> {
  for (const url of urls) {
    const text = await readFile(url, "utf8").catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** `@scope/name/part` belongs to `@scope/name`. */
function packageOf(specifier: string): string | undefined {
  if (
    specifier.startsWith(".") ||
    specifier.startsWith("/") ||
    specifier.includes(":") ||
    isBuiltin(specifier)
  )
    return undefined;
  return /^(?:@[\w.-]+\/)?[\w][\w.-]*/.exec(specifier)?.[0];
}

function typesOf(exports: unknown): string | undefined {
  if (typeof exports !== "object" || exports === null) return undefined;
  const fields = exports as Readonly<Record<string, unknown>>;
  const { types } = fields;
  return typeof types === "string" ? types : typesOf(fields["."]);
}
