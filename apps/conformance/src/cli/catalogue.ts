import { WIRE_ABILITIES } from "../backend.ts";
import { type Check, type Group, GROUPS } from "../check.ts";
import { type Ink, wrap } from "../report/ink.ts";
import { unknownCheck } from "../run/select.ts";

/** Every check with its promise, by groups. */
export function listText(
  checks: readonly Check[],
  group: string | undefined,
  ink: Ink,
  width: number,
): string {
  const wanted = group?.toUpperCase();
  if (wanted !== undefined && !Object.hasOwn(GROUPS, wanted)) throw unknownCheck(wanted, []);
  const sections = (Object.keys(GROUPS) as Group[])
    .filter((one) => wanted === undefined || one === wanted)
    .map((one) => {
      const own = checks.filter((check) => check.group === one);
      const lines = own.map(({ id, promise }) => `${id} ${wrap(promise, width, "    ")}`);
      return [ink("bold", `${one} ${GROUPS[one]} (${own.length})`), ...lines].join("\n");
    });
  const sum =
    wanted === undefined ? [`${checks.length} checks; \`llm-conformance explain S01\` says more of one`] : [];
  return `${[...sections, ...sum].join("\n\n")}\n`;
}

/** What one check promises, why anybody should care, what it needs, and how to fix the usual failures. */
export function explainText(check: Check, ink: Ink, width: number): string {
  const part = (name: string, text: string): string => `${ink("dim", `${name}:`)} ${wrap(text, width, "  ")}`;
  return `${[
    ink("bold", wrap(`${check.id} ${check.promise}`, width, "    ")),
    part("group", `${check.group}, ${GROUPS[check.group]}`),
    part("why it matters", check.why),
    part("how to fix it", check.fix),
    ...needsOf(check).map((need) => part("is skipped without", need)),
  ].join("\n")}\n`;
}

export function needsOf({ needs = {} }: Check): readonly string[] {
  return [
    ...(needs.operations ?? []).map((word) => `the operation "${word}" in the manifest`),
    ...(needs.features ?? []).map((word) => `the feature "${word}" in the manifest`),
    ...(needs.wire ?? []).map((word) => `a wire with "${word}": ${WIRE_ABILITIES[word]}`),
  ];
}
