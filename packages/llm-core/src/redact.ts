const HIDDEN = "[redacted]";

/**
 * Each takes a time that grows with the text alone, as messages may hold whatever a backend sent: no look behind, and
 * repetitions that can fail have a limit. The groups are kept, the rest is hidden.
 */
const SECRETS: readonly RegExp[] = [
  // Tokens that say by their beginning what they are.
  /\b(?:(?:sk|pk|rk|hf|gsk|xai|gh[pousr]|github_pat|glpat)[-_][\w-]{6,}|AIza[\w-]{20,}|AKIA[0-9A-Z]{12,})/g,
  /\beyJ[\w-]{5,500}\.[\w.-]{5,}/g,
  // Headers.
  /\b(bearer\s{1,4})[^\s"',;]{4,}/gi,
  /\b((?:[Bb]asic|BASIC)\s{1,4})(?=[a-z+/]{0,200}[A-Z0-9=])[\w+/=]{6,}/g,
  /\b((?:set-)?cookie\\{0,2}["']?\s{0,4}[:=]\s{0,4})[^\r\n"']{4,}/gi,
  // Names with values: headers, JSON, also JSON within JSON, forms.
  /((?:api[-_ ]?key(?: provided)?|secret|passw(?:or)?d|authorization)[\\"']{0,4}\s{0,4}[=:][\s[\\"']{0,8}(?:(?:token|bearer|basic)\s{1,4})?)(?!bearer\b|basic\b|\[redacted)[^\s"',;&\\]{4,}/gi,
  /(token[\\"']{0,4}\s{0,4}[=:][\s[\\"']{0,8})(?!\d{1,9}\b|\[redacted)[^\s"',;&\\]{4,}/gi,
  // Addresses.
  /([?&](?:[\w-]{0,20}[-_])?(?:key|sig|signature|auth|code|pwd)=)[^\s"'&]{4,}/gi,
  /(:\/\/)[^\s/?#]{1,400}(?=@)/g,
];

/** The text with everything that looks like a credential replaced. */
export function redact(text: string): string {
  let clean = text;
  for (const pattern of SECRETS)
    clean = clean.replace(pattern, (_, kept: unknown) => (typeof kept === "string" ? kept + HIDDEN : HIDDEN));
  return clean;
}
