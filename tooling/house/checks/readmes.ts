import { OPERATIONS } from "@enginehouse/llm-core";

import type { Manifest } from "./house.ts";
import { FEATURES } from "./manifests.ts";
import { readProse, section } from "./markdown.ts";

const ofProviders = ["Install", "Use", "Settings", "Capabilities", "What differs", "Backend versions tested"];
const ofOthers = ["Install", "Use"];

/** Where a package's README departs from the shape that all of its kind have. */
export function outOfShape(
  folder: string,
  manifest: Manifest,
  markdown: string | undefined,
): readonly string[] {
  const path = `${folder}/README.md`;
  if (markdown === undefined) return [`${path} is not written`];
  const { headings } = readProse(markdown);
  const title = headings.filter(({ level }) => level === 1).map(({ text }) => text);
  const parts = headings.filter(({ level }) => level === 2).map(({ text }) => text);
  const problems: string[] = [];
  if (title.join() !== manifest.name) problems.push(`its title is not ${manifest.name}`);
  if (purposeOf(markdown) === undefined)
    problems.push("the first thing below its title is not one sentence of purpose");
  const uninstalled = notInstalled(markdown);
  if (uninstalled.length > 0)
    problems.push(`its code imports ${uninstalled.join(", ")}, which no command of it installs`);
  if (manifest.llmProvider === undefined) {
    const lacking = ofOthers.filter((heading) => !parts.includes(heading));
    if (lacking.length > 0) problems.push(`it lacks the heading ${lacking.join(", ")}`);
  } else {
    if (parts.join(" · ") !== ofProviders.join(" · "))
      problems.push(`its headings are not ${ofProviders.join(" · ")}`);
    problems.push(...undeclared(markdown, manifest));
  }
  return problems.map((says) => `${path}: ${says}`);
}

/** Packages that the code needs and no `npm install` names: where packages are linked strictly it would not run. */
function notInstalled(markdown: string): readonly string[] {
  const installed = [...markdown.matchAll(/^npm install (.*)$/gm)].flatMap(([, words = ""]) =>
    words.split(" "),
  );
  if (installed.length === 0) return [];
  const imported = [...markdown.matchAll(/^import .* from "(@[^/"]+\/[^/"]+)/gm)].map(
    ([, name = ""]) => name,
  );
  return [...new Set(imported)].filter((name) => !installed.includes(name));
}

function purposeOf(markdown: string): string | undefined {
  const paragraphs = markdown.split(/\n\s*\n/).map((text) => text.trim());
  const second = paragraphs[1];
  return second !== undefined && /^[A-Z`@][^]*\.$/.test(second) && !second.startsWith("#")
    ? second
    : undefined;
}

/** The table of capabilities says what the manifest says: each of its operations and features, and no other. */
function undeclared(markdown: string, manifest: Manifest): readonly string[] {
  const { operations = [], features = [] } = manifest.llmProvider ?? {};
  const declared: readonly string[] = [...operations, ...features];
  const rows = (section(markdown, "Capabilities") ?? "").split("\n").filter((line) => line.startsWith("|"));
  const words = rows.slice(2).flatMap((row) => row.match(/[a-z]+(-[a-z]+)*/g) ?? []);
  const told = [...Object.keys(OPERATIONS), ...FEATURES].filter((name) => words.includes(name));
  const missing = declared.filter((name) => !told.includes(name));
  const invented = told.filter((name) => !declared.includes(name));
  return [
    ...(missing.length > 0 ? [`its table of capabilities lacks ${missing.join(", ")}`] : []),
    ...(invented.length > 0
      ? [`its table of capabilities names ${invented.join(", ")}, which the manifest does not`]
      : []),
  ];
}
