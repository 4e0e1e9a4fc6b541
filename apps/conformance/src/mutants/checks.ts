import type { Check } from "../check.ts";
import { listenersCheck } from "../checks/abort.ts";
import { CHECKS } from "../checks/index.ts";
import { referenceSubject } from "../reference/subject.ts";
import type { Subject } from "../subject.ts";

/** They look at the files of a package, and at nothing else of a subject. */
export const PACKAGE_CHECKS: readonly string[] = ["P01", "P02", "P04", "P05", "P06", "P08"];

/** A thousand calls over each of a hundred wrong providers would take longer than all the rest. */
const CHEAPER: readonly Check[] = CHECKS.map((check) => (check.id === "A10" ? listenersCheck(40) : check));

/** What can say anything about a wrong provider: one in the reference's own package is packed as well as that. */
export function checksFor(subject: Subject): readonly Check[] {
  const sameFiles = subject.package.href === referenceSubject().package.href;
  return sameFiles ? CHEAPER.filter(({ id }) => !PACKAGE_CHECKS.includes(id)) : CHEAPER;
}
