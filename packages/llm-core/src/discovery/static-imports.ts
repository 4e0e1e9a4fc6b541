import { dirname, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

import type { Diagnostic, Discovery } from "../manifest.ts";
import type { InstalledDiscovery } from "./discover.ts";
import type { InstalledPlugin } from "./plugin.ts";

export interface StaticImportsOptions {
  /** The file that will hold the module: what a package does not export is imported relative to it. A name that ends in `.ts` gives TypeScript. */
  readonly outFile: string | URL;
}

/**
 * A module that a bundler can follow, for applications without `node_modules` beside them. Its export `discovery` takes
 * the place of what `discover` finds; each plugin is still imported at its first use. Model files are not bundled.
 */
export function generateStaticImports(found: InstalledDiscovery, { outFile }: StaticImportsOptions): string {
  const file = resolve(outFile instanceof URL ? fileURLToPath(outFile) : outFile);
  const isTypeScript = /\.[mc]?ts$/.test(file);
  const bundled = new Set(found.plugins.map(({ manifest }) => manifest.id));
  const told = found.diagnostics.filter(({ id }) => id !== undefined && bundled.has(id));
  return [
    "// Generated from the application's package.json by enginehouse-plugins. Make it again when a dependency changes.",
    ...(isTypeScript ? ['import type { Discovery } from "@enginehouse/llm-core";', ""] : []),
    `export const discovery${isTypeScript ? ": Discovery" : ""} = {`,
    "  plugins: [",
    ...found.plugins.map((plugin) => literalOf(plugin, dirname(file))),
    "  ],",
    "  models: [],",
    `  diagnostics: ${indent(JSON.stringify([...told, ...modelsLeftOut(found)], null, 2))},`,
    "};",
    "",
  ].join("\n");
}

function literalOf(plugin: InstalledPlugin, folder: string): string {
  const { packageName, packageVersion, manifest, specifier, entry } = plugin;
  const data = JSON.stringify({ packageName, packageVersion, manifest }, null, 2);
  const path = `./${relative(folder, entry).split(sep).join("/")}`.replace(/^\.\/\.\.\//, "../");
  const load = `  "load": () => import(${JSON.stringify(specifier ?? path)})`;
  return `    ${indent(indent(`${data.slice(0, -2)},\n${load}\n}`))},`;
}

function modelsLeftOut({ models }: Discovery): readonly Diagnostic[] {
  return [...new Set(models.map(({ packageName }) => packageName))].map((packageName) => ({
    packageName,
    status: "ignored",
    message: `the model files of ${packageName} are not bundled`,
    hint: "ship them beside the bundle and add them to `models`",
  }));
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n  ");
}
