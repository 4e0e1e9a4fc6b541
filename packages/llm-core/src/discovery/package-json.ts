import { readFile, stat } from "node:fs/promises";

export type PackageJson = Readonly<Record<string, unknown>>;

/** What a package.json says; or `fault`, why it cannot be read; or neither, as there is none. */
export interface PackageJsonFile {
  readonly path: string;
  readonly content?: PackageJson | undefined;
  readonly fault?: string | undefined;
}

/** The largest package.json that is read. The largest ones in use have a tenth of it. */
const LIMIT = 1024 * 1024;

export async function readPackageJson(path: string): Promise<PackageJsonFile> {
  try {
    const found = await stat(path);
    // A pipe would be read for ever.
    if (!found.isFile()) return { path, fault: "it is no file" };
    const { size } = found;
    if (size > LIMIT) return { path, fault: `it has ${size} bytes; up to ${LIMIT} are read` };
    // The decoder also takes a byte order mark away, which JSON.parse would stumble over.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
    const content: unknown = JSON.parse(text);
    if (isRecord(content)) return { path, content };
    return { path, fault: "it holds no JSON object" };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { path };
    return { path, fault: error instanceof SyntaxError ? "it is not valid JSON" : (code ?? String(error)) };
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
