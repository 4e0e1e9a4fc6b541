/** What the new package, the core and the kit run on. The template's `engines` says the same. */
export const NODE_RANGE = "^22.18 || ^24.11 || >=26";

/** Whether a version such as `24.11.0` is in it. */
export function isAccepted(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 26 || (major === 22 && minor >= 18) || (major === 24 && minor >= 11);
}
