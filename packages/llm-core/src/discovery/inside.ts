import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep, win32 } from "node:path";

export type FileInside =
  | { readonly path: string; readonly bytes: number; readonly folder: boolean }
  | { readonly fault: string };

/** What the relative `path` in a package's manifest names, provided that it is there and belongs to the package. */
export async function findInside(packageFolder: string, path: string): Promise<FileInside> {
  if (isAbsolute(path) || win32.isAbsolute(path) || /[\\\0]/.test(path) || path.split("/").includes("..")) {
    return { fault: `"${path}" is no relative path within the package, such as "./dist/index.js"` };
  }
  const full = join(packageFolder, path);
  try {
    const [root, target, found] = await Promise.all([realpath(packageFolder), realpath(full), stat(full)]);
    if (isOutside(root, target)) return { fault: `"${path}" is a link that leads out of the package` };
    if (!found.isFile() && !found.isDirectory()) return { fault: `"${path}" is neither a file nor a folder` };
    return { path: full, bytes: found.size, folder: found.isDirectory() };
  } catch (error) {
    return { fault: `"${path}" cannot be opened (${reasonOf(error)})` };
  }
}

function isOutside(root: string, target: string): boolean {
  const way = relative(root, target);
  return way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return code === "ENOENT" ? "it does not exist" : code;
}
