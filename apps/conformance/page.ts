// The page about the conformance kit, made from its checks. `pnpm docs:conformance` writes it; a test holds the two together.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { CHECKS } from "./src/checks/index.ts";
import { type Check, type Group, GROUPS, WIRE_ABILITIES } from "./src/index.ts";
import { MUTANTS } from "./src/mutants/index.ts";
import { tableText } from "./src/report/markdown.ts";

export const page: URL = new URL("../../docs/conformance.md", import.meta.url);

/** A provider that is wrong in one way, and the checks that fail over it. */
export interface Wrong {
  readonly id: string;
  readonly wrong: string;
  readonly kills: Readonly<Record<string, unknown>>;
}

/** The whole page for a list of checks, and for the wrong providers that they are tried on. */
export function pageOfChecks(checks: readonly Check[], mutants: readonly Wrong[] = []): string {
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
    ...groups.flatMap(({ group, name, own }) => [
      "",
      `## ${group}: ${name}`,
      ...own.flatMap((check) => sectionOf(check, mutants)),
    ]),
    ...(mutants.length === 0 ? [] : tableOfMutants(mutants)),
    "",
  ].join("\n");
}

function sectionOf(check: Check, mutants: readonly Wrong[]): readonly string[] {
  const needs = needsOf(check);
  const killers = mutants
    .filter(({ kills }) => Object.hasOwn(kills, check.id))
    .toSorted((left, right) => Object.keys(left.kills).length - Object.keys(right.kills).length);
  const others = killers.length - 3;
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
    ...(killers.length === 0
      ? []
      : [
          "",
          `_Fails over a provider that_ ${killers
            .slice(0, 3)
            .map(({ id, wrong }) => `${wrong} (${id})`)
            .join(", or ")}${others > 0 ? `, and over ${others} more` : ""}.`,
        ]),
  ];
}

const numberOf = ({ id }: Wrong): number => Number(id.replace(/\D+/, ""));

/** Too many to read are counted: they are those of a provider that leaves something behind after every check. */
function tableOfMutants(mutants: readonly Wrong[]): readonly string[] {
  const inOrder = mutants.toSorted((left, right) => numberOf(left) - numberOf(right));
  const rows = inOrder.map(({ id, wrong, kills }) => {
    const ids = Object.keys(kills);
    return [id, `It ${wrong}.`, ids.length > 20 ? `${ids.length} checks` : ids.join(" ")];
  });
  return [
    "",
    "## How the checks themselves are tested",
    "",
    `A reference provider passes every check. Each of these ${mutants.length} differs from it in one way, and fails exactly the checks named beside it, with the message that was expected.`,
    "Every check fails over at least one of them.",
    "",
    tableText(["mutant", "what is wrong with it", "fails"], rows),
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
  writeFileSync(page, pageOfChecks(CHECKS, MUTANTS));
  process.stdout.write("wrote docs/conformance.md\n");
}
