// The page about the conformance kit, made from its checks. `pnpm docs:conformance` writes it; a test holds the two together.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { type Check, CHECKS, type Group, GROUPS, WIRE_ABILITIES } from "@enginehouse/llm-conformance";

import { root } from "./house.ts";

export const conformancePage = "docs/conformance.md";

/** The whole page for a list of checks. */
export function pageOfChecks(checks: readonly Check[]): string {
  const groups = (Object.keys(GROUPS) as Group[])
    .map((group) => ({ group, name: GROUPS[group], own: checks.filter((check) => check.group === group) }))
    .filter(({ own }) => own.length > 0);
  return [
    "# What the conformance kit checks",
    "",
    "<!-- Made by `pnpm docs:conformance` from the checks in apps/conformance/src/checks. -->",
    "",
    `${checks.length} promises, each with the reason why somebody relies on it and with the usual way to repair it. They hold for every provider plugin;`,
    "[the kit](../apps/conformance/README.md) tries them against a backend of its own and watches the wire, not the client. `llm-conformance explain S08`",
    "prints one of them in a terminal.",
    "",
    "A check is skipped where the manifest does not declare what it needs, or where the wire has no words for it; the report tells the reason, and a skip is never a pass.",
    "Around every check the kit also sees to it that no rejection goes unnoticed, that no socket, timer, child process or listener is left after `close()`, that requests are as they",
    "were, and that nothing takes for ever.",
    "",
    ...groups.map(
      ({ group, name, own }) =>
        `- [${group}: ${name}](#${group.toLowerCase()}-${name.replaceAll(" ", "-")}), ${own.length} checks`,
    ),
    ...groups.flatMap(({ group, name, own }) => ["", `## ${group}: ${name}`, ...own.flatMap(sectionOf)]),
    "",
  ].join("\n");
}

function sectionOf(check: Check): readonly string[] {
  const needs = needsOf(check);
  return [
    "",
    `### ${check.id}`,
    "",
    `**${check.promise}**`,
    "",
    check.why,
    "",
    `_How to fix it:_ ${check.fix}`,
    ...(needs.length === 0 ? [] : ["", `_Needs:_ ${needs.join("; ")}.`]),
  ];
}

function needsOf({ needs = {} }: Check): readonly string[] {
  const { operations = [], features = [], settings = [], wire = [] } = needs;
  const words = (list: readonly string[]): string => list.map((word) => `\`${word}\``).join(", ");
  return [
    ...(operations.length === 0 ? [] : [`${words(operations)} among the manifest's operations`]),
    ...(features.length === 0 ? [] : [`${words(features)} among its features`]),
    ...(settings.length === 0 ? [] : [`a setting for it (${words(settings)})`]),
    ...(wire.length === 0 ? [] : [`a wire where ${wire.map((word) => WIRE_ABILITIES[word]).join(", and ")}`]),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, conformancePage), pageOfChecks(CHECKS));
  console.log(`wrote ${conformancePage}`);
}
