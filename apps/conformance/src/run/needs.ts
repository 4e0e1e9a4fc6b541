import { type FakeBackend, WIRE_ABILITIES } from "../backend.ts";
import type { Check } from "../check.ts";
import type { SubjectManifest } from "../subject.ts";

type Declared = Pick<SubjectManifest, "operations" | "features" | "settings">;
type Wire = Pick<FakeBackend, "wire" | "cannot">;

/**
 * Why a check does not apply, or `undefined` when it does. It follows from the plugin's manifest and from what the
 * wire has no words for, and from nothing else: whoever reads a report can compute it again.
 */
export function whyNot(
  { needs = {} }: Pick<Check, "needs">,
  declared: Declared,
  wire: Wire,
): string | undefined {
  const operation = needs.operations?.find((word) => !declared.operations.includes(word));
  if (operation !== undefined) return `the manifest does not declare the operation "${operation}"`;
  const feature = needs.features?.find((word) => !declared.features.includes(word));
  if (feature !== undefined) return `the manifest does not declare the feature "${feature}"`;
  if (needs.settings?.some((name) => declared.settings?.includes(name)) === false) {
    return declared.settings === undefined
      ? "the manifest names no schema of settings that can be read"
      : `there is no setting for it (${needs.settings.join(", ")})`;
  }
  const ability = needs.wire?.find((word) => wire.cannot[word] !== undefined);
  if (ability === undefined) return undefined;
  return `${wire.wire} has no "${ability}" (${WIRE_ABILITIES[ability]}): ${wire.cannot[ability]}`;
}
