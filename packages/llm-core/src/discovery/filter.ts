import type { Diagnostic } from "../manifest.ts";

/** What the application wants used, by names of packages or ids of providers. */
export interface Filter {
  isDenied(nameOrId: string | undefined): boolean;
  isAllowed(name: string, id: string | undefined): boolean;
  /** The entries of the allow list that met nothing, each most likely a slip of the pen. */
  unmatched(): readonly Diagnostic[];
}

export function createFilter(allow?: readonly string[], deny: readonly string[] = []): Filter {
  const met = new Set<string>();
  return {
    isDenied: (nameOrId) => {
      if (nameOrId === undefined || !deny.includes(nameOrId)) return false;
      met.add(nameOrId);
      return true;
    },
    isAllowed(name, id) {
      const entries = [name, id].filter((one) => one !== undefined && allow?.includes(one));
      for (const entry of entries) if (entry !== undefined) met.add(entry);
      return allow === undefined || entries.length > 0;
    },
    unmatched: () =>
      (allow ?? [])
        .filter((entry) => !met.has(entry))
        .map((entry) => ({
          packageName: entry,
          status: "ignored",
          message: `the application allows "${entry}", which is neither a dependency that carries a plugin or models nor the id of one`,
          hint: "correct the entry, or add the package to the application's dependencies",
        })),
  };
}
