import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { inspect } from "node:util";

import {
  type AnyPlugin,
  generate,
  isLlmError,
  type LlmError,
  type Provider,
  type SettingsResult,
} from "@enginehouse/llm-core";

import type { Bench, Check, Stand } from "../check.ts";
import { excerpt, faultOf, hello, shown } from "./asking.ts";
import { watchEnvironment } from "./environment.ts";
import { watchOutput } from "./output.ts";
import { readSchema, type SchemaFields } from "./settings-schema.ts";
import { SOON, within } from "./within.ts";

/** The plugin of the subject. */
export const pluginOf = async ({ subject }: Bench): Promise<AnyPlugin> =>
  typeof subject.plugin === "function" ? subject.plugin() : subject.plugin;

/** The cheapest call that the provider has and that reaches the backend. `health` is none: it never rejects. */
async function useOnce({ provider, model, backend }: Stand): Promise<unknown> {
  if (provider.stream !== undefined) return generate(provider, hello(model));
  if (provider.embed !== undefined)
    return provider.embed({ model: backend.models.embedding, texts: ["one"] });
  if (provider.listModels !== undefined) return provider.listModels();
  if (provider.rerank !== undefined)
    return provider.rerank({ model: backend.models.rerank, query: "one", documents: ["two"] });
  return provider.health?.();
}

/** The call fails with `invalid-settings`, and nothing has been sent. */
async function refused(stand: Stand, given: string): Promise<LlmError> {
  const fault = await faultOf(useOnce(stand), `invalid-settings for ${given}`);
  assert.equal(fault.code, "invalid-settings", `${given} was given, and the error is ${shown(fault)}`);
  const { length } = stand.backend.seen.requests;
  assert.equal(length, 0, `${given} was given, and ${length} request(s) arrived`);
  return fault;
}

const validated = async (plugin: AnyPlugin, value: unknown): Promise<SettingsResult<unknown>> =>
  plugin.settings["~standard"].validate(value);

const issuesOf = ({ issues = [] }: SettingsResult<unknown>): string =>
  issues
    .map(
      ({ path = [], message }) =>
        `${path.map((key) => String(typeof key === "object" ? key.key : key)).join(".")}: ${message}`,
    )
    .join("; ");

/** What leads the provider to the backend, beside what a check adds. */
const ownSettings = async (bench: Bench): Promise<Readonly<Record<string, unknown>>> => {
  const backend = await bench.subject.backend.start({});
  try {
    return { ...backend.settings, ...bench.subject.settings(backend) };
  } finally {
    await backend.close();
  }
};

async function schemaFields(bench: Bench): Promise<SchemaFields> {
  const { settingsSchema } = bench.manifest;
  assert.ok(settingsSchema !== undefined, "the manifest has no settingsSchema");
  const file = new URL(settingsSchema, bench.folder);
  const text = await readFile(file, "utf8").catch((error: unknown) =>
    assert.fail(`settingsSchema is "${settingsSchema}", and that file cannot be read: ${shown(error)}`),
  );
  return readSchema(text, settingsSchema);
}

export const SETTINGS_CHECKS: readonly Check[] = [
  {
    id: "C01",
    group: "C",
    promise: "Valid settings are accepted, and a provider made with them works.",
    why: "Settings that are checked too strictly lock their users out.",
    fix: "Let the schema accept what your README documents, each setting being optional where it has a default.",
    async run(bench) {
      const plugin = await pluginOf(bench);
      const given = await ownSettings(bench);
      const result = await validated(plugin, given);
      assert.equal(result.issues, undefined, `valid settings were refused: ${issuesOf(result)}`);
      await within(SOON, useOnce(await bench.start()), "a call with valid settings");
    },
  },
  {
    id: "C02",
    group: "C",
    promise: "A setting that is not known is invalid-settings, with its name, before any request.",
    why: "A misspelt name that is ignored costs an afternoon.",
    fix: "Make the schema strict (`z.strictObject`), nested objects too.",
    async run(bench) {
      const stand = await bench.start({}, { baseUrll: "http://127.0.0.1:1" });
      const fault = await refused(stand, "an unknown setting baseUrll");
      assert.match(
        fault.message,
        /baseUrll/,
        `the message does not name the setting: ${excerpt(fault.message, 200)}`,
      );
    },
  },
  {
    id: "C03",
    group: "C",
    promise: "A setting of a wrong type is invalid-settings, with its name, before any request.",
    why: "A port in quotes would fail somewhere deep, and much later.",
    fix: "Let the schema check types and ranges; the core asks it before the first operation.",
    async run(bench) {
      for (const wrong of await wrongSettings(bench)) {
        const [name = ""] = Object.keys(wrong);
        const stand = await bench.start({}, wrong);
        const fault = await refused(stand, `the wrong setting ${JSON.stringify(wrong)}`);
        assert.ok(
          fault.message.includes(name),
          `the message does not name ${name}: ${excerpt(fault.message, 200)}`,
        );
      }
    },
  },
  {
    id: "C04",
    group: "C",
    promise:
      "The manifest names a JSON Schema of the settings, and it says what the plugin's own check says.",
    why: "Applications show and check settings by it before any code of the plugin runs.",
    fix: "Generate the file from the plugin's own schema in the build (`z.toJSONSchema`), and name it as settingsSchema.",
    async run(bench) {
      const plugin = await pluginOf(bench);
      const { properties, strict } = await schemaFields(bench);
      assert.ok(strict, "the JSON Schema allows further properties, the plugin must not");
      for (const name of Object.keys(await ownSettings(bench)))
        assert.ok(name in properties, `the plugin accepts "${name}", and the JSON Schema does not know it`);
      for (const [name, { right, wrong }] of Object.entries(properties)) {
        const accepted = await validated(plugin, { [name]: right });
        const value = JSON.stringify(right);
        if (right !== undefined)
          assert.equal(
            accepted.issues,
            undefined,
            `the JSON Schema allows ${name}: ${value}, the plugin does not: ${issuesOf(accepted)}`,
          );
        if (wrong === undefined) continue;
        const refusal = await validated(plugin, { [name]: wrong });
        assert.ok(
          refusal.issues !== undefined,
          `the JSON Schema forbids ${name}: ${JSON.stringify(wrong)}, the plugin accepts it`,
        );
      }
    },
  },
  {
    id: "C05",
    group: "C",
    promise: "A key stands in no error, in nothing that is printed, and not in the provider itself.",
    why: "Logs are read by many, and kept for years.",
    fix: "Keep the key in a closure; build messages from the backend's words with the core's LlmError, which hides what looks like a secret.",
    needs: { wire: ["auth", "http-status"] },
    async run(bench) {
      const printed = watchOutput();
      try {
        for (const refusal of [401, 500] as const) {
          const message = `Incorrect API key provided: ${SECRET}. Authorization: Bearer ${SECRET}`;
          const stand = await bench.start({ key: SECRET, refusesAll: { status: refusal, message } });
          const fault = await faultOf(useOnce(stand), `an error for status ${refusal}`);
          const wrote = stand.backend.seen.requests.some(({ headers }) =>
            JSON.stringify(headers).includes(SECRET),
          );
          assert.ok(wrote, "no request carried the key that the settings hold");
          for (const [place, text] of placesOf(fault, stand.provider))
            assert.ok(
              !text.includes(SECRET),
              `the key stands in ${place} after status ${refusal}: ${excerpt(text.replaceAll(SECRET, "KEY"), 300)}`,
            );
        }
        const down = await bench.start({ key: SECRET, down: true });
        const fault = await faultOf(useOnce(down), "an error where nothing listens");
        for (const [place, text] of placesOf(fault, down.provider))
          assert.ok(!text.includes(SECRET), `the key stands in ${place} where nothing listens`);
      } finally {
        printed.stop();
      }
      assert.ok(!printed.text().includes(SECRET), "the key was printed");
    },
  },
  {
    id: "C06",
    group: "C",
    promise: "Of the environment only the variables are read that the README names.",
    why: "A variable that is meant for another program must not lead requests, or a key, to another place.",
    fix: "Give every option of the backend's SDK a value, so that it looks for none itself; document what your settings read.",
    async run(bench) {
      const readme = await readFile(new URL("README.md", bench.folder), "utf8").catch(() => "");
      const environment = watchEnvironment();
      try {
        const stand = await bench.start();
        await within(SOON, useOnce(stand), "a call");
        if (stand.provider.health !== undefined) await within(SOON, stand.provider.health(), "health");
        if (stand.provider.listModels !== undefined)
          await within(SOON, stand.provider.listModels(), "the list");
      } finally {
        environment.stop();
      }
      const unknown = environment.read().filter((name) => !mentions(readme, name));
      assert.ok(
        unknown.length === 0,
        `read from the environment and not in the README: ${unknown.join(", ")}`,
      );
    },
  },
  {
    id: "C07",
    group: "C",
    promise: "An address works with and without a slash at its end.",
    why: "Half of all users copy it with the slash.",
    fix: "Cut slashes off the end of the address before a path is added.",
    needs: { wire: ["sockets"] },
    async run(bench) {
      const paths: string[] = [];
      for (const end of ["", "/"] as const) paths.push(await pathsAsked(bench, end));
      assert.equal(
        paths[1],
        paths[0],
        `with a slash at the end of the address other paths are asked for: ${paths[1]} for ${paths[0]}`,
      );
    },
  },
];

/** Looks like the keys that many services give out. */
const SECRET = "sk-kit-Kq7vR2mX9pLw4tZc8bNd";

/** The paths that a call asks for when the address in the settings ends so. */
async function pathsAsked(bench: Bench, end: "" | "/"): Promise<string> {
  const backend = await bench.subject.backend.start({});
  const settings: Record<string, unknown> = { ...backend.settings, ...bench.subject.settings(backend) };
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value !== "string" || !value.startsWith(backend.address)) continue;
    settings[name] = value.replace(/\/*$/, end);
    bench.saw(`${name}: "${String(settings[name])}"`);
  }
  const provider = (await pluginOf(bench)).create(settings as never);
  const asked = (): string => backend.seen.requests.map(({ path }) => path).join(" ");
  try {
    const stand: Stand = { provider, backend, model: backend.models.chat };
    await within(SOON, useOnce(stand), "a call").catch((error: unknown) => {
      assert.fail(
        `the address ended in "${end}", ${asked() || "nothing"} was asked for, and the call failed: ${shown(error)}`,
      );
    });
    return asked();
  } finally {
    await provider.close();
    await backend.close();
  }
}

/** One wrong value for each setting: the subject's own, or what the JSON Schema forbids. */
async function wrongSettings(bench: Bench): Promise<readonly object[]> {
  if (bench.subject.wrongSettings !== undefined) return bench.subject.wrongSettings;
  const { properties } = await schemaFields(bench);
  const wrong = Object.entries(properties).flatMap(([name, field]) =>
    field.wrong === undefined ? [] : [{ [name]: field.wrong }],
  );
  assert.ok(
    wrong.length > 0,
    "the JSON Schema forbids nothing that could be tried: give wrongSettings in the subject",
  );
  return wrong;
}

/** Where a key could be found by somebody who prints or stores an error, or the provider. */
function placesOf(fault: LlmError, provider: Provider): readonly (readonly [string, string])[] {
  const of = (error: LlmError, whose: string): readonly (readonly [string, string])[] => [
    [`${whose}'s message`, error.message],
    [`${whose}'s hint`, error.hint ?? ""],
    [`${whose}'s stack`, error.stack ?? ""],
    [`${whose}'s JSON`, JSON.stringify(error)],
    [`${whose} as it is printed`, inspect(error, { depth: 8 })],
  ];
  const causes: (readonly [string, string])[] = [];
  for (let at = fault.cause, depth = 0; isLlmError(at) && depth < 5; at = at.cause, depth += 1)
    causes.push(...of(at, "the cause"));
  return [
    ...of(fault, "the error"),
    ...causes,
    ["the provider as it is printed", inspect(provider, { depth: 6, showHidden: true })],
    ["the provider's JSON", JSON.stringify(provider)],
  ];
}

/** The name stands in the text as a word of its own. */
const mentions = (text: string, name: string): boolean =>
  new RegExp(`(?<![A-Za-z0-9_])${name.replaceAll(/[^\w]/g, "\\$&")}(?![A-Za-z0-9_])`).test(text);
