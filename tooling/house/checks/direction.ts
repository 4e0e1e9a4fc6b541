import type { Manifest, SourceFile } from "./house.ts";
import { importsOf, packageOf } from "./imports.ts";
import { rowsOfTable, wordsInCode } from "./markdown.ts";

/** What one package may see, as its row in `ARCHITECTURE.md` says. */
export interface Row {
  /** `llm-provider-*`, `apps/rag-service` */
  readonly packages: string;
  readonly sources: Allowed;
  readonly tests: Allowed;
}

/** Names of packages; and whether libraries from outside the house are welcome once they are declared. */
interface Allowed {
  readonly names: readonly string[];
  readonly libraries: boolean;
  readonly everything: boolean;
}

/** The table below the heading "Direction of dependencies". */
export function readDirections(markdown: string): readonly Row[] {
  return rowsOfTable(markdown, "Direction of dependencies").flatMap(
    ([packages = "", sources = "", tests = ""]) =>
      wordsInCode(packages).map((name) => ({
        packages: name,
        sources: readAllowed(sources),
        tests: readAllowed(tests),
      })),
  );
}

/** What the sources of a package import against the direction of the house, in sentences. */
export function againstDirection(
  folder: string,
  manifest: Manifest,
  files: readonly SourceFile[],
  rows: readonly Row[],
): readonly string[] {
  const row = rows.find(({ packages }) => matches(packages, folder));
  if (row === undefined) return [`${folder} has no row in the table of ARCHITECTURE.md`];
  return files.flatMap((file) => {
    const isTest = !/^[^/]+\/[^/]+\/(src|web)\//.test(file.path);
    return importsOf(file.text)
      .filter((specifier) => !isWelcome(packageOf(specifier), manifest, row, isTest))
      .map(
        (specifier) => `${file.path} imports "${specifier}", which the row of ${row.packages} does not allow`,
      );
  });
}

function isWelcome(name: string | undefined, manifest: Manifest, row: Row, isTest: boolean): boolean {
  if (name === undefined || name === manifest.name) return true;
  const inside = name.startsWith("@enginehouse/");
  if (isTest && !inside) return true; // knip sees to it that it is declared
  const short = name.replace("@enginehouse/", "");
  return (isTest ? [row.sources, row.tests] : [row.sources]).some(
    ({ names, libraries, everything }) =>
      everything || names.includes(short) || (libraries && !inside) || (isTest && short.endsWith("-preset")),
  );
}

function readAllowed(cell: string): Allowed {
  return {
    names: wordsInCode(cell),
    libraries: /\bSDK\b|\blibraries\b/.test(cell),
    everything: /\beverything\b/.test(cell),
  };
}

function matches(pattern: string, folder: string): boolean {
  const last = folder.split("/").at(-1) ?? folder;
  if (pattern.endsWith("*")) return last.startsWith(pattern.slice(0, -1));
  return pattern === last || pattern === folder;
}
