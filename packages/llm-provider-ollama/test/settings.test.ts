import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { addressOf } from "../src/connection/address.ts";
import plugin from "../src/index.ts";
import { configured, settings } from "../src/settings.ts";

describe("OLLAMA_HOST in all its forms", () => {
  test.each([
    ["", "http://127.0.0.1:11434"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["0.0.0.0:8080", "http://127.0.0.1:8080"],
    [":8080", "http://127.0.0.1:8080"],
    ["gpu-box", "http://gpu-box:11434"],
    ["gpu-box:", "http://gpu-box:11434"],
    ["gpu-box:8080", "http://gpu-box:8080"],
    ["192.168.1.5:11434", "http://192.168.1.5:11434"],
    ["http://gpu-box", "http://gpu-box"],
    ["http://gpu-box:8080", "http://gpu-box:8080"],
    ["http://gpu-box:8080/", "http://gpu-box:8080"],
    ["https://gpu-box", "https://gpu-box"],
    ["https://gpu-box/ollama/", "https://gpu-box/ollama"],
    ["HTTPS://gpu-box/ollama", "https://gpu-box/ollama"],
    ["gpu-box/ollama", "http://gpu-box:11434/ollama"],
    ["gpu-box:8080/ollama", "http://gpu-box:8080/ollama"],
    ["http://0.0.0.0:11434", "http://127.0.0.1:11434"],
    ["::1", "http://[::1]:11434"],
    ["::", "http://[::1]:11434"],
    ["[::]:8080", "http://[::1]:8080"],
    ["[::1]", "http://[::1]:11434"],
    ["[fe80::1]:8080", "http://[fe80::1]:8080"],
    ["http://[::1]:8080/ollama", "http://[::1]:8080/ollama"],
    ['"gpu-box:8080"', "http://gpu-box:8080"],
    ["  'gpu-box'  ", "http://gpu-box:11434"],
    ["ollama.com", "https://ollama.com"],
    ["https://ollama.com", "https://ollama.com"],
    ["https://ollama.com:443/", "https://ollama.com"],
  ])("%j is %s", (host, address) => {
    expect(configured({}, { OLLAMA_HOST: host }).baseUrl).toBe(address);
    expect(configured({ baseUrl: host }, {}).baseUrl).toBe(address);
  });

  test.each(["ftp://gpu-box", "gpu-box:port", "gpu-box:99999", "gpu box", "http://"])(
    "%j is no address",
    (host) => {
      const expected = host === "http://" ? "http://127.0.0.1" : undefined;
      expect(addressOf(host)).toBe(expected);
    },
  );

  test("what is no address is said with the variable's name", () => {
    expect(() => configured({}, { OLLAMA_HOST: "ftp://x" })).toThrow(/OLLAMA_HOST: "ftp:\/\/x"/);
  });

  test("a variable that was wrong and is put right is read again", async () => {
    const before = process.env["OLLAMA_HOST"];
    const ollama = plugin.create({});
    try {
      process.env["OLLAMA_HOST"] = "a b";
      await expect(ollama.loadedModels()).rejects.toMatchObject({ code: "invalid-settings" });
      process.env["OLLAMA_HOST"] = "127.0.0.1:1";
      await expect(ollama.loadedModels()).rejects.toMatchObject({ code: "unavailable" });
    } finally {
      if (before === undefined) delete process.env["OLLAMA_HOST"];
      else process.env["OLLAMA_HOST"] = before;
      await ollama.close();
    }
  });

  test("the setting wins over the variable", () => {
    expect(configured({ baseUrl: "one" }, { OLLAMA_HOST: "two" }).baseUrl).toBe("http://one:11434");
  });
});

describe("the key", () => {
  const env = { OLLAMA_API_KEY: "key-of-the-cloud" };

  test("of the environment goes to Ollama's own service and to nobody else", () => {
    expect(configured({ baseUrl: "https://ollama.com" }, env).headers).toEqual({
      authorization: "Bearer key-of-the-cloud",
    });
    expect(configured({ baseUrl: "https://elsewhere.example" }, env).headers).toEqual({});
    expect(configured({ baseUrl: "http://ollama.com" }, env).headers).toEqual({});
    expect(configured({}, env).headers).toEqual({});
  });

  test("of the settings goes where the settings lead", () => {
    const { headers } = configured({ baseUrl: "https://proxy.example", apiKey: "mine" }, env);
    expect(headers).toEqual({ authorization: "Bearer mine" });
  });

  test("does not outlive a header of one's own", () => {
    const { headers } = configured({ apiKey: "mine", headers: { authorization: "Basic abc" } }, {});
    expect(headers).toEqual({ authorization: "Basic abc" });
  });
});

describe("settings are strict", () => {
  test.each([
    [{ baseURL: "http://x" }, "baseURL"],
    [{ baseUrl: "" }, "baseUrl"],
    [{ baseUrl: "ftp://x" }, "baseUrl"],
    [{ contextWindow: 0 }, "contextWindow"],
    [{ contextWindow: 1.5 }, "contextWindow"],
    [{ contextWindows: { a: -1 } }, "contextWindows.a"],
    [{ keepAliveMs: -1 }, "keepAliveMs"],
    [{ pullStallMs: 0 }, "pullStallMs"],
    [{ prefixes: { a: { title: "x" } } }, "title"],
  ])("%j is refused, by its place", async (given, place) => {
    const ollama = plugin.create(given as never);
    const fault = await ollama.listModels().then(
      () => expect.unreachable("it should have failed"),
      (error: unknown) => error,
    );
    expect(fault).toMatchObject({ code: "invalid-settings", phase: "settings" });
    expect(String(fault)).toContain(place);
  });

  test("and their JSON Schema says the same of types and names", async () => {
    const schema = z.toJSONSchema((await settings.load()) as unknown as z.ZodType);
    const fits = new Ajv2020({ strict: false }).compile(schema);
    expect(fits({ baseUrl: "gpu-box", contextWindow: 4_096, keepAliveMs: 0 })).toBe(true);
    for (const wrong of [
      { baseURL: "x" },
      { baseUrl: 7 },
      { contextWindow: 0 },
      { keepAliveMs: -1 },
      { headers: { a: 1 } },
    ])
      expect([wrong, fits(wrong)]).toEqual([wrong, false]);
  });

  test("all that the table knows is taken", async () => {
    const all = {
      baseUrl: "gpu-box",
      apiKey: "k",
      headers: { "x-team": "a" },
      contextWindow: 4_096,
      contextWindows: { a: 8_192 },
      keepAliveMs: 0,
      pullStallMs: 1_000,
      insecurePulls: true,
      prefixes: { a: { query: "q: ", document: "d: " } },
    };
    expect((await plugin.settings["~standard"].validate(all)).issues).toBeUndefined();
  });
});
