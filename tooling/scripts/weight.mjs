// How heavy a package's own code is: each built entry, minified and gzipped, its declared dependencies left out.
// The ceilings stand in its package.json: "weight": { "dist/index.js": "8 kB" }.
import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const units = { B: 1, kB: 1000, MB: 1_000_000 };

/** What is wrong with the weight of the package in `folder`, in sentences. Needs the build. */
export async function weigh(folder, log = console.log) {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const ceilings = manifest.weight ?? {};
  const unweighed = entriesOf(manifest).filter((entry) => !Object.hasOwn(ceilings, entry));
  const problems = unweighed.map(
    (entry) => `${manifest.name}: "weight" in package.json names no ceiling for ${entry}`,
  );
  for (const [entry, ceiling] of Object.entries(ceilings)) {
    if (!existsSync(join(folder, entry))) {
      problems.push(`${manifest.name}: ${entry} has a ceiling, but was not built`);
      continue;
    }
    const others = Object.keys(ceilings).filter((other) => other !== entry);
    const { bytes, imports, swallowed } = await measure(folder, entry, others);
    const limit = readSize(ceiling);
    log(`${manifest.name} ${entry}: ${bytes} bytes gzipped, ceiling ${ceiling}`);
    if (limit === undefined) problems.push(`${manifest.name}: "${ceiling}" is no size; write it as "8 kB"`);
    else if (bytes > limit)
      problems.push(`${manifest.name}: ${entry} is ${bytes} bytes gzipped, over its ceiling of ${ceiling}`);
    for (const name of swallowed) {
      problems.push(
        `${manifest.name}: ${entry} has ${name} inside, for package.json does not declare it as a dependency`,
      );
    }
    const declared = {
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    };
    for (const name of imports.filter(
      (found) => !Object.hasOwn(declared, found) && found !== manifest.name,
    )) {
      problems.push(`${manifest.name}: ${entry} imports ${name}, which package.json does not declare`);
    }
  }
  return problems;
}

/** The JavaScript files that `exports` leads to once the package is published. */
function entriesOf(manifest) {
  const targets = Object.values(manifest.publishConfig?.exports ?? manifest.exports ?? {});
  return targets.flatMap((target) => (typeof target === "object" ? [target.default.replace("./", "")] : []));
}

/** What it imports only when it needs it, and what has a ceiling of its own, is none of its weight. */
const leftOut = (folder, others) => ({
  name: "weighed-by-itself",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined;
      const found = relative(folder, join(resolveDir, path)).replaceAll("\\", "/");
      return others.includes(found) ? { path, external: true } : undefined;
    }),
});

async function measure(folder, entry, others) {
  const result = await build({
    entryPoints: [join(folder, entry)],
    plugins: [leftOut(folder, others)],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "error",
    outdir: "weighed",
  });
  const outputs = Object.values(result.metafile.outputs);
  const imports = outputs
    .flatMap((output) => output.imports)
    .filter(({ external, path }) => external && !path.startsWith("."));
  const names = imports.map(({ path }) => packageName(path)).filter((name) => !isBuiltin(name));
  const bytes = gzipSync(Buffer.concat(result.outputFiles.map(({ contents }) => contents))).length;
  const files = Object.keys(result.metafile.inputs);
  return { bytes, imports: [...new Set(names)], swallowed: [...new Set(files.flatMap(swallowedBy))] };
}

/** Packages that the bundler put inside a built file: its source map names their files. */
function swallowedBy(file) {
  if (!existsSync(`${file}.map`)) return [];
  const { sources } = JSON.parse(readFileSync(`${file}.map`, "utf8"));
  return sources.flatMap((source) => {
    const inside = source.split("node_modules/").at(-1);
    return source.includes("node_modules/") && inside !== undefined ? [packageName(inside)] : [];
  });
}

const packageName = (specifier) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

const isBuiltin = (name) => name.startsWith("node:") || builtinModules.includes(name);

function readSize(text) {
  const [, amount, unit] = /^([\d.]+) (B|kB|MB)$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * units[unit];
}
