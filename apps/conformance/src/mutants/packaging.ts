import type { Provider } from "@enginehouse/llm-core";

import { REFERENCE_PACKAGE, type ReferencePackage } from "../reference/package.ts";
import type { SubjectChanges } from "../reference/subject.ts";
import { mutant } from "./making.ts";
import type { Mutant } from "./mutant.ts";

/** The package with some fields of its package.json changed, and some of its files. */
const packed = (
  content: Readonly<Record<string, unknown>>,
  files: ReferencePackage["files"] = {},
): SubjectChanges => ({
  package: {
    content: { ...REFERENCE_PACKAGE.content, ...content },
    files: { ...REFERENCE_PACKAGE.files, ...files },
  },
});

const ENTRY = REFERENCE_PACKAGE.files["dist/index.js"] ?? "";
const TYPES = REFERENCE_PACKAGE.files["dist/index.d.ts"] ?? "";

/** The entry with a line in front of it. */
const entry = (line: string): SubjectChanges => packed({}, { "dist/index.js": `${line}\n${ENTRY}` });

const living = new Set<Provider>();

export const PACKAGING_MUTANTS: readonly Mutant[] = [
  mutant("M51", "lacks the keyword that it is found by", packed({ keywords: ["llm"] }), {
    P01: /llmProvider of the package\.json is at fault: the keyword/,
  }),
  mutant("M52", "is published without the folder of its entry", packed({ files: ["lib"] }), {
    P02: /the entry is "\.\/dist\/index\.js", and files publishes only/,
    P05: /installed as npm does it, the plugin cannot be imported: Cannot/,
    P08: /a host does not find the plugin: the package\.json of/,
  }),
  mutant(
    "M40",
    "is another contract's plugin than its manifest says",
    { contract: 2 },
    { P03: /the plugin's contract is 2, the manifest's 1/ },
  ),
  mutant(
    "M33",
    "opens a socket when it is imported",
    entry('import { connect } from "node:net";\nconnect(9, "127.0.0.1").on("error", () => undefined);'),
    { P04: /importing \.\/dist\/index\.js did more than that: it opened a/ },
  ),
  mutant(
    "M53",
    "takes its time when it is imported",
    entry("await new Promise((resolve) => setTimeout(resolve, 600));"),
    { P04: /importing \.\/dist\/index\.js took \d+ ms, three times over/ },
  ),
  mutant(
    "M54",
    "reads the environment when it is imported",
    entry('export const key = process.env["REFERENCE_BASE_URL"];'),
    { P04: /importing \.\/dist\/index\.js did more than that: it read the/ },
  ),
  mutant(
    "M55",
    "imports a package that it does not declare",
    packed(
      {},
      {
        "dist/index.js": `import ${quoted("lucky-find")};\n${ENTRY}`,
        "node_modules/lucky-find/package.json":
          '{"name":"lucky-find","type":"module","exports":"./index.js"}',
        "node_modules/lucky-find/index.js": "",
      },
    ),
    { P05: /the built files import lucky-find, which the package\.json does/ },
  ),
  mutant(
    "M56",
    "has a copy of the core in its built code",
    entry(
      'const MARKER = Symbol.for("enginehouse.provider-plugin");\nexport const says = [MARKER, "are no Standard Schema"];',
    ),
    { P06: /the built files hold a copy of @enginehouse\/llm-core/ },
  ),
  mutant(
    "M57",
    "shows the types of its validator",
    packed(
      {},
      {
        "dist/index.d.ts": `import type { ZodType } from ${quoted("zod")};\nexport declare const schema: ZodType;\n${TYPES}`,
      },
    ),
    { P06: /the published types show zod/ },
  ),
  mutant(
    "M58",
    "closes all providers of its kind with the first",
    {
      outside(provider) {
        const own = provider.close;
        living.add(provider);
        return {
          ...provider,
          async close() {
            const all = [...living];
            living.clear();
            await Promise.all([own(), ...all.filter((one) => one !== provider).map((one) => one.close())]);
          },
        };
      },
    },
    { P07: /one provider was closed, and the other failed: shut-down:/ },
  ),
  mutant(
    "M59",
    "exports its code and not its package.json",
    packed({ exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } } }),
    { P08: /the package's exports have no \.\/package\.json/ },
  ),
  mutant(
    "M60",
    "exports another file than its entry",
    packed(
      { exports: { ".": "./dist/other.js", "./package.json": "./package.json" } },
      { "dist/other.js": ENTRY },
    ),
    { P08: /the package's exports do not lead to the entry \.\/dist\/index\.js/ },
  ),
];

/** The name of a package in the code of a mutant, which is no import of the kit's own. */
function quoted(name: string): string {
  return JSON.stringify(name);
}
