import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type Commands, run } from "./commands.ts";

/** One way of laying out installed packages. */
export interface Layout {
  readonly name: string;
  /** Settings files of the application. */
  readonly files: (registryUrl: string) => Readonly<Record<string, string>>;
  readonly install: (commands: Commands) => readonly string[];
  /** Runs a program that a dependency brings. */
  readonly exec: (commands: Commands) => readonly string[];
  /** Runs a file of the application under the pinned Node. */
  readonly node: (commands: Commands) => readonly string[];
  /** How its package manager adds a package, as the hints have it. */
  readonly addCommand: string;
}

const pnpm = (name: string, settings: string): Layout => ({
  name,
  files: () => ({ "pnpm-workspace.yaml": `${settings}\nminimumReleaseAge: 0\n` }),
  install: (commands) => [...commands.pnpm, "install"],
  exec: (commands) => [...commands.pnpm, "exec"],
  node: (commands) => commands.node,
  addCommand: "pnpm add",
});

const yarn = (name: string, nodeLinker: string): Layout => ({
  name,
  files: (registryUrl) => ({
    "yarn.lock": "",
    ".yarnrc.yml": [
      `nodeLinker: ${nodeLinker}`,
      `npmRegistryServer: ${registryUrl.replace(/\/$/, "")}`,
      "unsafeHttpWhitelist: [127.0.0.1]",
      "npmMinimalAgeGate: 0",
      "enableImmutableInstalls: false",
      "enableTelemetry: false",
      "enableGlobalCache: true",
      "httpRetry: 0",
      "",
    ].join("\n"),
  }),
  install: (commands) => [...commands.yarn, "install"],
  exec: (commands) => [...commands.yarn, "exec"],
  node: (commands) => [...commands.yarn, "node"],
  addCommand: "yarn add",
});

export const LAYOUTS: readonly Layout[] = [
  {
    name: "npm",
    files: () => ({}),
    install: (commands) => [...commands.npm, "install", "--no-audit", "--no-fund", "--fetch-retries=0"],
    exec: (commands) => [...commands.npm, "exec", "--no", "--"],
    node: (commands) => commands.node,
    addCommand: "npm install",
  },
  pnpm("pnpm, strict", "hoist: false"),
  pnpm("pnpm, hoisted", "nodeLinker: hoisted"),
  yarn("Yarn PnP", "pnp"),
  yarn("Yarn, node-modules", "node-modules"),
];

export interface Installed {
  /** Runs a file of the application and gives what it wrote. */
  node(...args: readonly string[]): Promise<string>;
  /** Runs a program that a dependency brings. */
  exec(...args: readonly string[]): Promise<string>;
}

/** Makes an application of these files in `folder` and installs what it depends on. */
export async function installApplication(
  layout: Layout,
  files: Readonly<Record<string, string>>,
  {
    folder,
    commands,
    env,
    registryUrl,
  }: {
    readonly folder: string;
    readonly commands: Commands;
    readonly env: NodeJS.ProcessEnv;
    readonly registryUrl: string;
  },
): Promise<Installed> {
  await mkdir(folder, { recursive: true });
  for (const [path, text] of Object.entries({ ...layout.files(registryUrl), ...files })) {
    await writeFile(join(folder, path), text);
  }
  await run(layout.install(commands), { cwd: folder, env });
  const options = { cwd: folder, env };
  return {
    node: (...args) => run([...layout.node(commands), ...args], options),
    exec: (...args) => run([...layout.exec(commands), ...args], options),
  };
}
