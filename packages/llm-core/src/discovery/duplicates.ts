import type { ModelFile } from "../manifest.ts";
import type { Application } from "./application.ts";
import type { Finding } from "./package.ts";

/** Two packages with one id: neither is used, for either choice would be a guess. */
export function refuseDuplicates(findings: readonly Finding[], application: Application): readonly Finding[] {
  const plugins = groupBy(findings, ({ plugin }) => (plugin === undefined ? [] : [plugin.manifest.id]));
  const models = groupBy(findings, ({ models: listed = [] }) => listed.map(modelKey));
  return findings.flatMap((finding): readonly Finding[] => {
    const { plugin } = finding;
    if (plugin === undefined) return withoutTwins(finding, models);
    const claimants = plugins.get(plugin.manifest.id) ?? [];
    return claimants.length < 2 ? [finding] : [refusePlugin(finding, claimants, application)];
  });
}

function refusePlugin(
  finding: Finding,
  claimants: readonly Finding[],
  { removeCommand }: Application,
): Finding {
  const { id, packageName, packageVersion } = finding.diagnostic;
  const names = claimants.map(nameOf);
  const hint = `keep one: \`${removeCommand} ${packageName}\`, or name the package in the deny list of discovery`;
  const message = `${names.join(" and ")} both claim the provider id "${id}"; none of them is used`;
  return {
    diagnostic: {
      id,
      packageName,
      packageVersion,
      status: "refused",
      code: "plugin-duplicate",
      message,
      hint,
    },
  };
}

/** The finding without the models that another package gives under the same id and format, and a line about those. */
function withoutTwins(finding: Finding, groups: ReadonlyMap<string, readonly Finding[]>): readonly Finding[] {
  const { diagnostic, models = [] } = finding;
  const isTwin = (model: ModelFile): boolean => (groups.get(modelKey(model)) ?? []).length > 1;
  const twins = models.filter(isTwin);
  if (twins.length === 0) return [finding];
  const rest = models.filter((model) => !isTwin(model));
  const refused = twins.map((model): Finding => {
    const names = [...new Set((groups.get(modelKey(model)) ?? []).map(nameOf))];
    const message = `${names.join(" and ")} ${names.length === 1 ? "twice gives" : "both give"} the ${model.format} model "${model.id}"; neither is used`;
    const hint = "keep one, or name the other package in the deny list of discovery";
    return { diagnostic: { ...diagnostic, status: "refused", code: "plugin-duplicate", message, hint } };
  });
  return rest.length === 0 ? refused : [{ ...finding, models: rest }, ...refused];
}

const modelKey = ({ format, id }: ModelFile): string => `${format} ${id}`;

function nameOf({ diagnostic }: Finding): string {
  return `${diagnostic.packageName}@${diagnostic.packageVersion}`;
}

function groupBy(
  findings: readonly Finding[],
  keysOf: (finding: Finding) => readonly string[],
): ReadonlyMap<string, readonly Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    for (const key of keysOf(finding)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [finding]);
      else group.push(finding);
    }
  }
  return groups;
}
