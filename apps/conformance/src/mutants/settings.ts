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
    {
      C01: /valid settings were refused: key: is missing/,
      C04: /the JSON Schema allows baseUrl: "http:\/\//,
    },
  ),
  mutant(
    "M62",
    "ignores settings that it does not know",
    { settings: referenceSettings({ ...SETTINGS_SCHEMA, additionalProperties: true }) },
    { C02: /expected invalid-settings for an unknown setting baseUrll, but/ },
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
    {
      C03: /the wrong setting \{"baseUrl":true\} was given, and the error is/,
      C04: /the JSON Schema forbids baseUrl: true, the plugin accepts it/,
    },
  ),
  mutant(
    "M64",
    "publishes a JSON Schema that is older than its code",
    published({ ...SETTINGS_SCHEMA, properties: { ...PROPERTIES, parallel: { type: "string" } } }),
    { C04: /the JSON Schema allows parallel: "x", the plugin does not:/ },
  ),
  mutant(
    "M31",
    "puts its key into an error's message",
    tells(({ key }) => ` (the key was ${key})`),
    { C05: /the key stands in the error's message after status 401: "the/ },
  ),
  mutant(
    "M65",
    "keeps its settings, the key with them, where everybody can see them",
    { outside: (provider, settings) => ({ ...provider, settings }) },
    {
      C05: /the key stands in the provider as it is printed after status/,
      K01: /not of the contract: settings/,
    },
  ),
  mutant(
    "M66",
    "looks into the environment for an address of another program",
    part({ addressOf: (settings) => process.env["OTHER_BASE_URL"] ?? PARTS.addressOf(settings) }),
    { C06: /read from the environment and not in the README: OTHER_BASE_URL/ },
  ),
  mutant(
    "M67",
    "adds paths to the address as it is given",
    part({ addressOf: ({ baseUrl = "" }) => baseUrl }),
    { C07: /the address ended in "\/", \/\/chat was asked for, and the call/ },
  ),
];
