import { CONTRACT_VERSION, OPERATIONS } from "@enginehouse/llm-core";

import type { Manifest } from "./house.ts";

const engines = "^22.18 || ^24.11 || >=26";
const scripts = ["build", "typecheck", "test", "check:package"];
/** What a provider's chat can pass on. */
export const FEATURES: readonly string[] = ["tools", "json-schema", "reasoning", "vision"];

/** An app is private unless it is here, with the name that it is published under. */
export const publishedApps: Readonly<Record<string, string>> = { "apps/conformance": "llm-conformance" };

/** What is missing or wrong in the `package.json` of a published package, in sentences. */
export function faultsOf(folder: string, manifest: Manifest): readonly string[] {
  const name = publishedApps[folder] ?? folder.replace("packages/", "");
  const problems: string[] = [];
  const want = (holds: boolean, says: string): void => {
    if (!holds) problems.push(`${folder}/package.json: ${says}`);
  };
  const field = (path: string): unknown =>
    path.split(".").reduce((value: unknown, key) => (isRecord(value) ? value[key] : undefined), manifest);

  want(manifest.name === `@enginehouse/${name}`, `"name" is not @enginehouse/${name}`);
  want(manifest.private !== true, `"private" keeps it from being published`);
  want(typeof field("description") === "string", `"description" is missing`);
  want(field("license") === "Apache-2.0", `"license" is not Apache-2.0`);
  want(field("type") === "module", `"type" is not module`);
  want(field("sideEffects") === false, `"sideEffects" is not false`);
  want(field("engines.node") === engines, `"engines.node" is not ${engines}`);
  want(field("publishConfig.access") === "public", `"publishConfig.access" is not public`);
  want(field("repository.directory") === folder, `"repository.directory" is not ${folder}`);
  want(isRecord(field("weight")), `"weight" states no ceiling`);
  want(listOf(field("files")).includes("dist"), `"files" lacks dist`);
  want(listOf(field("files")).includes("src"), `"files" lacks src, where the source maps lead`);
  want(listOf(field("keywords")).includes("llm"), `"keywords" lacks llm`);
  for (const script of scripts)
    want(manifest.scripts?.[script] !== undefined, `the script "${script}" is missing`);
  problems.push(...faultsOfExports(folder, manifest), ...faultsOfProvider(folder, manifest));
  return problems;
}

/** The sources first, for the workspace alone; then types before default; and the same without sources when published. */
function faultsOfExports(folder: string, manifest: Manifest): readonly string[] {
  const inside = Object.entries(manifest.exports ?? {});
  const config = isRecord(manifest["publishConfig"]) ? manifest["publishConfig"]["exports"] : undefined;
  const published = isRecord(config) ? config : {};
  const problems: string[] = [];
  if (manifest.exports?.["./package.json"] !== "./package.json")
    problems.push("does not export ./package.json");
  if (Object.keys(published).join(" ") !== inside.map(([subpath]) => subpath).join(" ")) {
    problems.push("publishes other entries than it exports");
  }
  for (const [subpath, target] of inside) {
    if (!isRecord(target)) continue;
    const conditions = Object.keys(target).join(", ");
    if (conditions !== "@enginehouse/source, types, default") {
      problems.push(
        `exports["${subpath}"] has the conditions ${conditions}; wanted: @enginehouse/source, types, default`,
      );
    }
    const other = published[subpath];
    if (!isRecord(other)) continue;
    if (Object.keys(other).join(", ") !== "types, default") {
      problems.push(`publishConfig.exports["${subpath}"] has other conditions than types, default`);
    } else if (other["types"] !== target["types"] || other["default"] !== target["default"]) {
      problems.push(`publishConfig.exports["${subpath}"] leads elsewhere than exports`);
    }
  }
  return problems.map((says) => `${folder}/package.json: ${says}`);
}

function faultsOfProvider(folder: string, manifest: Manifest): readonly string[] {
  const provider = manifest.llmProvider;
  const isProvider = folder.includes("/llm-provider-");
  if (provider === undefined) return isProvider ? [`${folder}/package.json: "llmProvider" is missing`] : [];
  const problems: string[] = [];
  if (!listOf(manifest["keywords"]).includes("llm-provider")) problems.push(`"keywords" lacks llm-provider`);
  if (provider.id !== folder.replace("packages/llm-provider-", ""))
    problems.push(`the id "${provider.id}" is not its folder's`);
  if (provider.contract !== CONTRACT_VERSION)
    problems.push(`speaks another contract than ${CONTRACT_VERSION}`);
  if (provider.entry !== "./dist/index.js") problems.push(`"entry" is not the built ./dist/index.js`);
  for (const operation of provider.operations.filter((one) => !Object.hasOwn(OPERATIONS, one))) {
    problems.push(`"${operation}" is no operation of the contract`);
  }
  for (const feature of provider.features.filter((one) => !FEATURES.includes(one))) {
    problems.push(`"${feature}" is no feature of the contract`);
  }
  return problems.map((says) => `${folder}/package.json: ${says}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
