/** Licences by the names of the SPDX list, however a model file, a manifest or a backend writes them. */
const NAMES: ReadonlyMap<string, string> = new Map(
  [
    "AFL-3.0",
    "AGPL-3.0",
    "Apache-2.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CC-BY-2.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-NC-2.0",
    "CC-BY-NC-3.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-ND-4.0",
    "CC-BY-NC-SA-2.0",
    "CC-BY-NC-SA-3.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "ECL-2.0",
    "EPL-2.0",
    "EUPL-1.2",
    "GPL-2.0",
    "GPL-3.0",
    "ISC",
    "LGPL-2.1",
    "LGPL-3.0",
    "MIT",
    "MPL-2.0",
    "MS-PL",
    "NCSA",
    "OFL-1.1",
    "PostgreSQL",
    "Unlicense",
    "Zlib",
  ].map((name) => [name.toLowerCase(), name]),
);
/** What a licence's own text begins with. */
const TEXTS = [
  [/^apache license,?\s+version 2\.0/i, "Apache-2.0"],
  [/^(?:the )?mit license/i, "MIT"],
] as const;
const LONGEST = 60;

/** The name of a licence that is known; of another its own words, of a whole text the first line. */
export function licenceName(told: string): string {
  const text = told.trim();
  const known = NAMES.get(text.toLowerCase().replaceAll(/[\s_]+/g, "-"));
  if (known !== undefined) return known;
  const named = TEXTS.find(([beginning]) => beginning.test(text));
  if (named !== undefined) return named[1];
  const [line = ""] = text.split("\n");
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1).trimEnd()}…` : line.trimEnd();
}
