import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

import { REFERENCE_FEATURES, REFERENCE_ID, REFERENCE_OPERATIONS } from "./plugin.ts";
import { SETTINGS_SCHEMA } from "./settings.ts";

/** A package on disk that carries the reference, or what a mutant makes of it. */
export interface ReferencePackage {
  /** The whole package.json. */
  readonly content: Readonly<Record<string, unknown>>;
  /** Files beside it. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * The package as a bundler would leave it. Its entry stands for the built code: it exports the plugin, with methods
 * that reach nothing, since what is looked at here is how the plugin is packed.
 */
export const REFERENCE_PACKAGE: ReferencePackage = {
  content: {
    name: "llm-provider-reference",
    version: "1.0.0",
    description: "The provider that the conformance kit measures itself with",
    keywords: ["llm", "llm-provider"],
    license: "Apache-2.0",
    type: "module",
    files: ["dist"],
    exports: {
      ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
      "./package.json": "./package.json",
    },
    dependencies: { "@enginehouse/llm-core": "*" },
    llmProvider: {
      contract: 1,
      id: REFERENCE_ID,
      entry: "./dist/index.js",
      operations: REFERENCE_OPERATIONS,
      features: REFERENCE_FEATURES,
      modelFormats: [],
      settingsSchema: "./dist/settings.schema.json",
    },
  },
  files: {
    "README.md":
      "# llm-provider-reference\n\n`REFERENCE_BASE_URL`: the backend's address where the settings name none.\n",
    "dist/settings.schema.json": `${JSON.stringify(SETTINGS_SCHEMA, null, 2)}\n`,
    "dist/index.d.ts": `import type { ProviderPlugin } from "@enginehouse/llm-core";
declare const plugin: ProviderPlugin<{ readonly baseUrl?: string }>;
export default plugin;
`,
    "dist/index.js": `import { defineProvider } from "@enginehouse/llm-core";

const settings = { "~standard": { version: 1, vendor: "reference", validate: (value) => ({ value }) } };

export default defineProvider({
  id: ${JSON.stringify(REFERENCE_ID)},
  contract: 1,
  features: ${JSON.stringify(REFERENCE_FEATURES)},
  settings,
  create: (_, { name }) => ({ name, close: async () => undefined }),
});
`,
  },
};

/** Writes the package into a folder that is gone with the process, and tells where its package.json is. */
export function writePackage({ content, files }: ReferencePackage = REFERENCE_PACKAGE): URL {
  const folder = mkdtempSync(join(tmpdir(), "llm-provider-reference-"));
  if (folders.size === 0) process.once("exit", removeAll);
  folders.add(folder);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("package.json", JSON.stringify(content, null, 2));
  for (const [path, text] of Object.entries(files)) write(path, text);
  const core = dirname(createRequire(import.meta.url).resolve("@enginehouse/llm-core/package.json"));
  mkdirSync(join(folder, "node_modules", "@enginehouse"), { recursive: true });
  symlinkSync(core, join(folder, "node_modules", "@enginehouse", "llm-core"), "junction");
  return pathToFileURL(join(folder, "package.json"));
}

const folders = new Set<string>();

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
