import { assertReport, type Check, type Report } from "@enginehouse/llm-conformance";

import type { Manifest } from "./house.ts";

/** What is wrong with the report of the conformance kit that a plugin's manifest links, in sentences. */
export function faultsOfReport(
  folder: string,
  manifest: Manifest,
  text: string | undefined,
  checks?: readonly Check[],
): readonly string[] {
  const link = manifest.llmProvider?.conformance;
  if (link === undefined)
    return [`${folder}/package.json: "llmProvider" links no report of the conformance kit`];
  const path = `${folder}/${link.replace("./", "")}`;
  if (text === undefined) return [`${path} is not written; \`pnpm conformance\` does`];
  const report = JSON.parse(text) as Report;
  const { files } = manifest as { readonly files?: readonly string[] };
  const problems: string[] = [];
  if (files?.includes(link.replace("./", "")) !== true) problems.push("it is not published");
  if (report.package.name !== manifest.name) problems.push(`it is about ${report.package.name}`);
  for (const field of ["contract", "id", "operations", "features"] as const) {
    const told = JSON.stringify(report.manifest[field]);
    const declared = JSON.stringify(manifest.llmProvider?.[field]);
    if (told !== declared) problems.push(`its ${field} are ${told}, the manifest's ${declared}`);
  }
  if (!report.green) problems.push("it is not green");
  if (report.only !== undefined) problems.push("it is about some of the checks only");
  try {
    assertReport(report, checks);
  } catch (error) {
    problems.push((error as Error).message);
  }
  return problems.map((says) => `${path}: ${says}`);
}
