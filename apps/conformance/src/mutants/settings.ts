import type { JsonObject } from "@enginehouse/llm-core";

import { REFERENCE_PACKAGE } from "../reference/package.ts";
import { PARTS } from "../reference/parts.ts";
import { referencePlugin, referenceSettings } from "../reference/plugin.ts";
import { SETTINGS_SCHEMA } from "../reference/settings.ts";
import type { SubjectChanges } from "../reference/subject.ts";
import { isCode, mutant, part } from "./making.ts";
import type { Mutant } from "./mutant.ts";

const PROPERTIES = SETTINGS_SCHEMA["properties"] as Readonly<Record<string, JsonObject>>;

/** The JSON Schema in the package says something else than the code. */
const published = (schema: JsonObject): SubjectChanges => ({
  package: {
    ...REFERENCE_PACKAGE,
    files: { ...REFERENCE_PACKAGE.files, "dist/settings.schema.json": JSON.stringify(schema) },
  },
});

/** An error whose message says more, past the core that would hide it. */
const tells = (secret: (settings: { readonly key?: string | undefined }) => string): SubjectChanges => ({
  outside: (provider, settings) => ({
    ...provider,
    async *stream(request, options) {
      try {
        yield* provider.stream(request, options);
      } catch (error) {
        if (isCode(error, "unauthenticated")) error.message += secret(settings);
        throw error;
      }
    },
  }),
});

const reference = referencePlugin();

export const SETTINGS_MUTANTS: readonly Mutant[] = [
  mutant(
    "M61",
    "shows a check that refuses its own settings",
    {
      plugin: Object.defineProperty(
        { ...reference, settings: referenceSettings({ ...SETTINGS_SCHEMA, required: ["key"] }) },
        Symbol.for("enginehouse.provider-plugin"),
        { value: true },
      ),
    },
    {},
  ),
  mutant(
    "M62",
    "ignores settings that it does not know",
    { settings: referenceSettings({ ...SETTINGS_SCHEMA, additionalProperties: true }) },
    {},
  ),
  mutant(
    "M63",
    "does not look at the types of its settings",
    {
      settings: referenceSettings({
        ...SETTINGS_SCHEMA,
        properties: Object.fromEntries(Object.keys(PROPERTIES).map((name) => [name, {}])),
      }),
    },
    {},
  ),
  mutant(
    "M64",
    "publishes a JSON Schema that is older than its code",
    published({ ...SETTINGS_SCHEMA, properties: { ...PROPERTIES, parallel: { type: "string" } } }),
    {},
  ),
  mutant(
    "M31",
    "puts its key into an error's message",
    tells(({ key }) => ` (the key was ${key})`),
    {},
  ),
  mutant(
    "M65",
    "keeps its settings, the key with them, where everybody can see them",
    { outside: (provider, settings) => ({ ...provider, settings }) },
    {},
  ),
  mutant(
    "M66",
    "looks into the environment for an address of another program",
    part({ addressOf: (settings) => process.env["OTHER_BASE_URL"] ?? PARTS.addressOf(settings) }),
    {},
  ),
  mutant(
    "M67",
    "adds paths to the address as it is given",
    part({ addressOf: ({ baseUrl = "" }) => baseUrl }),
    {},
  ),
];
