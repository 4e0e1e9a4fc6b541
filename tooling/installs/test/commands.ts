import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

const require = createRequire(import.meta.url);

export interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Default 60 000. */
  readonly timeoutMs?: number | undefined;
}

/** Runs a program to its end, without a shell; a failure carries all that it wrote. */
export async function run(
  command: readonly string[],
  { timeoutMs = 60_000, ...options }: RunOptions,
): Promise<string> {
  const [file = "", ...args] = command;
  try {
    const { stdout } = await promisify(execFile)(file, args, {
      ...options,
      timeout: timeoutMs,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command.join(" ")} (in ${options.cwd})\n${stdout}${stderr}`, { cause: error });
  }
}

/** The environment of a person who has just unpacked Node: an empty home, and nothing of the tools that run this test. */
export function createEnvironment(home: string): NodeJS.ProcessEnv {
  const foreign = /^(?:npm_|pnpm_|yarn_|vitest|node_|ci$|init_cwd$|xdg_|(?:https?_|all_|no_)proxy$)/i;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return {
    ...Object.fromEntries(kept),
    PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
    HOME: home,
    USERPROFILE: home,
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "data"),
    XDG_STATE_HOME: join(home, "state"),
    NO_PROXY: "127.0.0.1",
    NPM_CONFIG_USERCONFIG: join(home, "npmrc"),
    NO_UPDATE_NOTIFIER: "1",
  };
}

export interface Commands {
  readonly node: readonly string[];
  readonly npm: readonly string[];
  readonly pnpm: readonly string[];
  readonly yarn: readonly string[];
}

export async function findCommands(): Promise<Commands> {
  const npm = await findOnPath("npm");
  const ownNode = join(dirname(npm), "node");
  return {
    node: [process.execPath],
    // npm belongs to the Node that it came with: under another one it looks for its settings elsewhere.
    npm: [(await isThere(ownNode)) ? ownNode : process.execPath, realpathSync(npm)],
    pnpm: [await findOnPath("pnpm")],
    yarn: [process.execPath, require.resolve("@yarnpkg/cli-dist/bin/yarn.js")],
  };
}

async function findOnPath(name: string): Promise<string> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (await isThere(join(folder, name))) return join(folder, name);
  }
  throw new Error(`${name} is not on PATH`);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
