import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { onTestFinished } from "vitest";

import { discover } from "../../src/discovery.ts";
import type { Diagnostic, Discovery } from "../../src/index.ts";

export const idsOf = ({ plugins }: Discovery): readonly string[] =>
  plugins.map(({ manifest }) => manifest.id);

export const rowOf = ({ diagnostics }: Discovery, name: string): Diagnostic | undefined =>
  diagnostics.find(({ packageName }) => packageName === name);

/** Files by path; what is no text is written as JSON. */
export type Tree = Readonly<Record<string, unknown>>;

/** A folder with these files, which is gone after the test. */
export async function plant(tree: Tree, folderName = "an application"): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "discovery-")));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const folder = join(root, folderName);
  await mkdir(folder);
  for (const [path, content] of Object.entries(tree)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(
      file,
      typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content),
    );
  }
  return folder;
}

/** An application that depends on `names`. */
export function application(...names: readonly string[]): Tree {
  return {
    "package.json": { name: "app", dependencies: Object.fromEntries(names.map((name) => [name, "*"])) },
  };
}

/** The files of a plugin that is installed in `node_modules`; `more` is laid over its package.json. */
export function plugin(name: string, manifest: unknown = {}, more: object = {}): Tree {
  const id = name.replace(/^.*[/]/, "").replace(/^llm-provider-/, "");
  const sound = {
    contract: 1,
    id,
    entry: "./index.js",
    operations: ["health"],
    features: [],
    modelFormats: [],
  };
  const folder = `node_modules/${name}`;
  return {
    [`${folder}/package.json`]: {
      name,
      version: "1.2.3",
      type: "module",
      llmProvider: isPlain(manifest) ? { ...sound, ...manifest } : manifest,
      ...more,
    },
    [`${folder}/index.js`]: `globalThis.imported = [...(globalThis.imported ?? []), ${JSON.stringify(name)}];\nexport default { id: ${JSON.stringify(id)} };\n`,
  };
}

/** The files of a package that carries models. */
export function modelPackage(
  name: string,
  llmModels: unknown,
  files: Readonly<Record<string, string>>,
): Tree {
  const folder = `node_modules/${name}`;
  return {
    [`${folder}/package.json`]: { name, version: "2.0.0", llmModels },
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text])),
  };
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What discovery finds in an application that depends on the one plugin `x` with this manifest. */
export async function discoverOne(manifest: unknown, more: Tree = {}): Promise<Discovery> {
  return discover({ from: await plant({ ...application("x"), ...plugin("x", manifest), ...more }) });
}
