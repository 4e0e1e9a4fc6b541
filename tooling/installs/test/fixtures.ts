/** A small package to publish: its package.json and its other files. */
export interface Fixture {
  readonly packageJson: { readonly name: string; readonly [key: string]: unknown };
  readonly files: Readonly<Record<string, string>>;
}

const manifest = { contract: 1, entry: "./index.js", operations: ["chat"], features: [], modelFormats: [] };

/** A module whose default export answers every chat with `hello from <id>`. */
const sound = (id: string): string => `
import { defineProvider } from "@enginehouse/llm-core";

(globalThis.importedPlugins ??= []).push(${JSON.stringify(id)});

const settings = { "~standard": { version: 1, vendor: "fixture", validate: (value) => ({ value }) } };

async function* stream({ model }) {
  yield { type: "start", model, warnings: [] };
  yield { type: "text-start", id: "0" };
  yield { type: "text-delta", id: "0", text: ${JSON.stringify(`hello from ${id}`)} };
  yield { type: "text-end", id: "0" };
  yield { type: "finish", reason: { unified: "stop" }, usage: {}, context: { truncated: "no" } };
}

export default defineProvider({
  id: ${JSON.stringify(id)},
  contract: 1,
  settings,
  create: (_, { name }) => ({ name, stream, close: async () => {} }),
});
`;

function plugin(name: string, llmProvider: unknown, more: object = {}, code?: string): Fixture {
  const id = name.replace("fixture-", "");
  return {
    packageJson: {
      name,
      version: "1.0.0",
      type: "module",
      exports: { ".": { default: "./index.js" } },
      dependencies: { "@enginehouse/llm-core": "*" },
      llmProvider: typeof llmProvider === "object" ? { id, ...manifest, ...llmProvider } : llmProvider,
      ...more,
    },
    files: { "index.js": code ?? sound(id) },
  };
}

const model = { id: "tiny", format: "gguf", task: "chat", path: "./tiny.gguf", bytes: 4, license: "CC0-1.0" };

export const FIXTURES: readonly Fixture[] = [
  plugin("fixture-plain", {}),
  // Under Yarn PnP a package with peers has a path of its own for each set of them.
  plugin("fixture-peer", {}, { dependencies: {}, peerDependencies: { "@enginehouse/llm-core": "*" } }),
  // Nothing that require could resolve, and no ./package.json.
  plugin("fixture-import-only", {}, { exports: { ".": { import: "./index.js" } } }),
  // Not even its entry is exported.
  plugin("fixture-sealed", {}, { exports: {} }),
  plugin("fixture-throws", {}, {}, `throw new Error("no licence file");\n`),
  plugin("fixture-hangs", {}, {}, `await new Promise(() => {});\nexport default {};\n`),
  plugin("fixture-not-a-plugin", {}, {}, `export default { id: "not-a-plugin", contract: 1 };\n`),
  plugin("fixture-liar", {}, {}, sound("somebody-else")),
  plugin("fixture-word", "yes"),
  plugin("fixture-faulty", { id: "Faulty One", operations: "chat" }),
  plugin("fixture-escapes", { entry: "../fixture-plain/index.js" }),
  plugin("fixture-unbuilt", { entry: "./dist/index.js" }),
  plugin("fixture-future", { contract: 9 }),
  plugin("fixture-twin-a", { id: "twin" }),
  plugin("fixture-twin-b", { id: "twin" }),
  plugin("fixture-transitive", {}),
  {
    packageJson: {
      name: "fixture-library",
      version: "1.0.0",
      type: "module",
      dependencies: { "fixture-transitive": "1.0.0" },
    },
    files: { "index.js": `export { default } from "fixture-transitive";\n` },
  },
  {
    packageJson: {
      name: "fixture-weights",
      version: "1.0.0",
      llmModels: [model, { ...model, id: "lost", path: "./lost.gguf" }],
    },
    files: { "tiny.gguf": "GGUF" },
  },
  plugin("fixture-elsewhere", {}, { os: ["aix"], cpu: ["s390"] }),
];

/** What is not among the application's own dependencies. */
const NOT_DIRECT = ["fixture-transitive", "fixture-elsewhere"];

/** The package.json of an application that depends on all of them. */
export const APPLICATION = {
  name: "application",
  version: "1.0.0",
  private: true,
  type: "module",
  dependencies: {
    "@enginehouse/llm-core": "*",
    "@enginehouse/llm-provider-echo": "*",
    ...Object.fromEntries(
      FIXTURES.map(({ packageJson }) => packageJson.name)
        .filter((name) => !NOT_DIRECT.includes(name))
        .map((name) => [name, "1.0.0"]),
    ),
  },
  optionalDependencies: { "fixture-elsewhere": "1.0.0" },
};

/** Lists the plugins of `discovery`, asks each for an answer, and writes what came of it as JSON. */
const USE = `
const registry = createRegistry({ discovery, importTimeoutMs: 1_500 });
const listed = registry.list().map(({ id, packageName }) => ({ id, packageName }));
const importedByListing = globalThis.importedPlugins ?? [];

const answerOf = async (id) => {
  try {
    const provider = await registry.provider(id);
    const model = (await provider.listModels?.())?.[0]?.id ?? "any";
    const request = { model, messages: [{ role: "user", content: "hello" }] };
    return { text: (await generate(provider, request)).text };
  } catch ({ code, message, hint }) {
    return { code, message, hint };
  }
};
const answers = Object.fromEntries(
  await Promise.all(listed.map(async ({ id }) => [id, await answerOf(id)])),
);
const report = {
  node: process.version,
  pnp: process.versions.pnp !== undefined,
  listed,
  importedByListing,
  answers,
  models: registry.models(),
  diagnostics: registry.diagnostics(),
};
await registry.close();
`;

/** The program of the application: discovers. */
export const INSTALLED_PROGRAM = `
import { createRegistry, generate } from "@enginehouse/llm-core";
import { discover } from "@enginehouse/llm-core/discovery";
const discovery = await discover({ from: import.meta.url });
${USE}
const sameModule = {};
for (const name of ["fixture-plain", "fixture-peer", "fixture-import-only"]) {
  const candidate = discovery.plugins.find(({ packageName }) => packageName === name);
  sameModule[name] = (await candidate.load()) === (await import(name));
}
console.log(JSON.stringify({ ...report, sameModule }));
`;

/** The same with static imports, to be bundled. */
export const BUNDLED_PROGRAM = `
import { createRegistry, generate } from "@enginehouse/llm-core";
import { discovery } from "./plugins.mjs";
${USE}
console.log(JSON.stringify(report));
`;
