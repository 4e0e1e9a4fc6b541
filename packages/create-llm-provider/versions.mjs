// Writes which versions a new package begins with: ours as they are now, the tools as the workspace has them.
import { readFileSync, writeFileSync } from "node:fs";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const catalog = read("../../pnpm-workspace.yaml");

const ours = Object.fromEntries(
  ["packages/llm-core", "packages/llm-wire", "apps/conformance"].map((folder) => {
    const { name, version } = JSON.parse(read(`../../${folder}/package.json`));
    return [name, `^${version}`];
  }),
);
const tools = Object.fromEntries(
  ["@types/node", "typescript", "vitest", "zod"].map((name) => {
    const version = new RegExp(`^ {2}"?${name}"?: (\\S+)`, "m").exec(catalog)?.[1];
    if (version === undefined) throw new Error(`the catalog has no ${name}`);
    return [name, version.startsWith("^") ? version : `^${version}`];
  }),
);
writeFileSync(
  new URL("./dist/versions.json", import.meta.url),
  `${JSON.stringify({ ...ours, ...tools }, null, 2)}\n`,
);
