import { describe, expect, test, vi } from "vitest";

import {
  createRegistry,
  type Discovery,
  isLlmError,
  type PluginCandidate,
  type ProviderManifest,
} from "../src/index.ts";
import { faultOf, pluginOf } from "./double.ts";

const manifest = (id: string, more: Partial<ProviderManifest> = {}): ProviderManifest => ({
  contract: 1,
  id,
  entry: "./dist/index.js",
  operations: ["chat"],
  features: [],
  modelFormats: [],
  ...more,
});

function candidate(
  id: string,
  load: () => Promise<unknown>,
  more: Partial<ProviderManifest> = {},
): PluginCandidate {
  return { packageName: `llm-${id}`, packageVersion: "1.2.3", manifest: manifest(id, more), load };
}

function found(...plugins: PluginCandidate[]): Discovery {
  const diagnostics = plugins.map(({ packageName, manifest: { id } }) => {
    return { packageName, id, status: "used" as const, message: "found" };
  });
  const model = { task: "chat", path: "/m", bytes: 1, license: "MIT", packageName: "models" } as const;
  return {
    plugins,
    diagnostics,
    models: [
      { ...model, id: "a", format: "gguf" },
      { ...model, id: "b", format: "onnx" },
    ],
  };
}

const good = (id: string): PluginCandidate =>
  candidate(id, async () => ({ default: pluginOf(() => ({}), { id }) }));

describe("a registry", () => {
  test("lists from manifests alone and imports at first use, once", async () => {
    const load = vi.fn(async () => ({ default: pluginOf(() => ({}), { id: "a" }) }));
    const registry = createRegistry({ discovery: found(candidate("a", load)) });
    expect(registry.list()).toEqual([
      { id: "a", packageName: "llm-a", packageVersion: "1.2.3", manifest: manifest("a") },
    ]);
    expect(load).not.toHaveBeenCalled();
    const [one, two] = await Promise.all([registry.provider("a"), registry.provider("a")]);
    expect(one).toBe(two);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test("makes one plugin several times under the application's names", async () => {
    const registry = createRegistry({
      discovery: found(good("a")),
      providers: { near: { plugin: "a" }, far: { plugin: "a" } },
    });
    expect(registry.names()).toEqual(["near", "far", "a"]);
    expect((await registry.provider("near")).name).toBe("near");
    expect((await registry.resolve("far/org/model:tag")).model).toBe("org/model:tag");
    expect((await registry.resolve("far/x")).provider.name).toBe("far");
  });

  test("names what is installed when the wanted provider is not", async () => {
    const registry = createRegistry({ discovery: found(good("ollama"), good("openai")) });
    expect(String(await faultOf(registry.provider("olama")))).toContain(
      'no provider "olama" is installed (installed: ollama, openai)',
    );
    expect(await faultOf(registry.provider("constructor"))).toMatchObject({ code: "invalid-request" });
  });

  test.each(["nameless", "/model", "provider/"])("refuses the model reference %s", async (reference) => {
    expect(await faultOf(createRegistry().resolve(reference))).toMatchObject({ code: "invalid-request" });
  });

  test("a plugin that throws at import leaves the others alone and says so in the diagnostics", async () => {
    const broken = candidate("bad", () => Promise.reject(new Error("boom")));
    const registry = createRegistry({ discovery: found(broken, good("a")) });
    const error = await faultOf(registry.provider("bad"));
    expect(error).toMatchObject({ code: "plugin-load-failed" });
    expect(String(error)).toContain("llm-bad@1.2.3");
    expect((await registry.provider("a")).name).toBe("a");
    expect(registry.diagnostics()).toMatchObject([
      { status: "failed", code: "plugin-load-failed" },
      { status: "used" },
    ]);
  });

  test("a plugin that hangs at import is given up after its time", async () => {
    const hanging = candidate("slow", () => new Promise(() => {}));
    const registry = createRegistry({ discovery: found(hanging), importTimeoutMs: 20 });
    expect(await faultOf(registry.provider("slow"))).toMatchObject({ code: "plugin-load-failed" });
  });

  test("an import that was too slow costs its time once, and is used when it has come", async () => {
    let come: (module: unknown) => void = () => undefined;
    // As with `import()`, each asks for the one that is under way.
    const module = new Promise((resolve) => (come = resolve));
    const late = candidate("late", () => module);
    const registry = createRegistry({ discovery: found(late), importTimeoutMs: 20 });
    const fault = { code: "plugin-load-failed", message: expect.stringContaining("within 0.02 s") };
    expect(await faultOf(registry.provider("late"))).toMatchObject(fault);
    const waits = vi.spyOn(globalThis, "setTimeout");
    for (let again = 0; again < 3; again += 1)
      expect(await faultOf(registry.provider("late"))).toMatchObject(fault);
    expect(waits).not.toHaveBeenCalled();
    waits.mockRestore();
    come({ default: pluginOf(() => ({}), { id: "late" }) });
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect((await registry.provider("late")).name).toBe("late");
    expect(registry.diagnostics()).toMatchObject([{ status: "used" }]);
  });

  test("an import that failed is tried again at the next use", async () => {
    let attempts = 0;
    const shaky = candidate("a", async () => {
      attempts += 1;
      if (attempts === 1) throw new Error("not yet");
      return { default: pluginOf(() => ({}), { id: "a" }) };
    });
    const registry = createRegistry({ discovery: found(shaky) });
    await faultOf(registry.provider("a"));
    expect((await registry.provider("a")).name).toBe("a");
    expect(registry.diagnostics()).toMatchObject([{ status: "used" }]);
  });

  test.each<[string, unknown, string]>([
    ["no default export", {}, "plugin-invalid"],
    ["an unmarked export", { default: { id: "a", contract: 1, create() {} } }, "plugin-invalid"],
    ["another id", { default: pluginOf(() => ({}), { id: "b" }) }, "plugin-invalid"],
    ["other features", { default: pluginOf(() => ({}), { id: "a", features: ["tools"] }) }, "plugin-invalid"],
    [
      "a contract of the future",
      { default: pluginOf(() => ({}), { id: "a", contract: 3 }) },
      "plugin-incompatible",
    ],
  ])("refuses a module with %s", async (_, module, code) => {
    const registry = createRegistry({ discovery: found(candidate("a", async () => module)) });
    const error = await faultOf(registry.provider("a"));
    expect(error).toMatchObject({ code });
    expect(isLlmError(error) ? error.hint : undefined).toMatch(/author|install/);
  });

  test("a plugin registered by hand wins over a discovered one, and a second one of its id is an error", async () => {
    const registry = createRegistry({
      discovery: found(candidate("a", () => Promise.reject(new Error("unused")))),
    });
    registry.register(pluginOf(() => ({}), { id: "a" }));
    expect((await registry.provider("a")).name).toBe("a");
    expect(registry.diagnostics()).toMatchObject([{ id: "a", status: "ignored" }]);
    expect(() => registry.register(pluginOf(() => ({}), { id: "a" }))).toThrow(/registered already/);
  });

  test("hands a plugin the model files of the formats that it reads", async () => {
    const seen: unknown[] = [];
    const plugin = pluginOf(() => ({}), { id: "a" });
    const spying = Object.defineProperty(
      { ...plugin, create: (_: never, host = {}) => (seen.push(host), plugin.create(undefined, host)) },
      Symbol.for("enginehouse.provider-plugin"),
      { value: true },
    );
    const reader = candidate("a", async () => ({ default: spying }), { modelFormats: ["gguf"] });
    const registry = createRegistry({ discovery: found(reader) });
    await registry.provider("a");
    expect(seen).toMatchObject([{ name: "a", models: [{ id: "a", format: "gguf" }] }]);
    expect(registry.models("onnx")).toMatchObject([{ id: "b" }]);
  });

  test("close closes what was made and refuses more", async () => {
    let closed = 0;
    const registry = createRegistry();
    registry.register(pluginOf(() => ({ close: async () => void (closed += 1) }), { id: "a" }));
    await registry.provider("a");
    await Promise.all([registry.close(), registry.close()]);
    expect(closed).toBe(1);
    expect(await faultOf(registry.provider("a"))).toMatchObject({ code: "shut-down" });
  });
});
