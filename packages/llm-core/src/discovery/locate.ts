import nodeModule from "node:module";
import { dirname, join, sep } from "node:path";

import { errorCode, type PackageJsonFile, readPackageJson } from "./package-json.ts";

/**
 * The package.json of the dependency `name` of the application whose package.json is at `base`; `undefined` where it
 * is not installed. What a package exports plays no part: one that hides its package.json, or exports `import` alone
 * so that `require.resolve` fails, is found like any other.
 */
export async function locatePackage(name: string, base: string): Promise<PackageJsonFile | undefined> {
  const pnp = pnpApiOf(base);
  if (pnp !== undefined) {
    const folder = resolveByPnp(pnp, name, base);
    return folder === undefined ? undefined : readIfThere(folder);
  }
  const require = nodeModule.createRequire(base);
  // Not `paths(name)`: that is null for a package with the name of a built-in module, such as `events`.
  for (const folder of require.resolve.paths(`${name}/package.json`) ?? []) {
    const file = await readIfThere(join(folder, name));
    if (file !== undefined) return file;
  }
  // A host with a resolution of its own may know more than the folders tell.
  try {
    return await readIfThere(dirname(require.resolve(`${name}/package.json`)));
  } catch {
    return undefined;
  }
}

/** Whether `name` can be a package's name, and so cannot lead out of the folders that are searched. */
export function isPackageName(name: string): boolean {
  const parts = name.split("/");
  if (parts.length > 2 || (parts.length === 2) !== name.startsWith("@")) return false;
  return parts.every(
    (part) => part !== "" && part !== "@" && !part.startsWith(".") && !/[\\:\p{Cc}]/u.test(part),
  );
}

async function readIfThere(folder: string): Promise<PackageJsonFile | undefined> {
  const file = await readPackageJson(join(folder, "package.json"));
  return file.content === undefined && file.fault === undefined ? undefined : file;
}

/** The part of Yarn's PnP API (yarnpkg.com/advanced/pnpapi) that is used here. */
interface PnpApi {
  resolveToUnqualified(
    request: string,
    issuer: string,
    options?: { considerBuiltins?: boolean },
  ): string | null;
}

function pnpApiOf(base: string): PnpApi | undefined {
  if (process.versions["pnp"] === undefined) return undefined;
  const { findPnpApi } = nodeModule as { findPnpApi?: (path: string) => PnpApi | null };
  return findPnpApi?.(base) ?? undefined;
}

function resolveByPnp(pnp: PnpApi, name: string, base: string): string | undefined {
  try {
    return pnp.resolveToUnqualified(name, dirname(base) + sep, { considerBuiltins: false }) ?? undefined;
  } catch (error) {
    // MISSING_DEPENDENCY for an optional one of another platform, UNDECLARED_DEPENDENCY after an edit without install.
    if (errorCode(error) !== undefined) return undefined;
    throw error;
  }
}
