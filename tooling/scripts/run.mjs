// `npm start` and `npm test` come here with whatever Node the machine has (18 or newer, nothing installed yet).
// It finds or fetches the right Node and pnpm (both from the npm registry), installs, and does the job.
// Plain JavaScript, Node's own modules only.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const windows = process.platform === "win32";
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const pnpmVersion = manifest.packageManager.replace(/^pnpm@/, "").replace(/\+.*$/, "");
const nodeVersion = readFileSync(join(root, ".node-version"), "utf8").trim();
const tools = join(root, ".tools");

const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
// What `npm start` and `pnpm test` put here is theirs; the programs below must not take it for their own settings.
for (const key of Object.keys(env)) if (/^npm_/i.test(key)) delete env[key];
// npm itself always runs under the Node it came with: under another one it would look elsewhere for its global npmrc.
const npmEnv = { ...env };
const pathKey = Object.keys(env).find((key) => key.toUpperCase() === "PATH") ?? "PATH";

const jobs = {
  /** Builds what the service needs, and no more, and runs it. */
  start(args) {
    install(["--prefer-frozen-lockfile"]);
    build("@enginehouse/rag-service");
    hold(windows ? "node.exe" : "node", [join("apps", "rag-service", "dist", "server.js"), ...args]);
  },
  /** Writes all packages as they would be published into the folder `packs`: to be tried before a release. */
  packs() {
    install(["--prefer-frozen-lockfile"]);
    const published = ["./packages/*", "@enginehouse/llm-conformance"];
    for (const name of published) build(name);
    const filters = published.flatMap((name) => ["--filter", name]);
    rmSync(join(root, "packs"), { recursive: true, force: true });
    must("pnpm", [...filters, "exec", "pnpm", "pack", "--pack-destination", join(root, "packs")], "ignore");
    console.log(`Install them all at once: npm install ${join(root, "packs")}/*.tgz`);
  },
  /** All that `pnpm check` does. What follows `npm test --` goes to Vitest. */
  test(args) {
    install(["--frozen-lockfile"]);
    hold(windows ? "node.exe" : "node", [join("tooling", "scripts", "check.mjs"), ...args]);
  },
};

const [job = "", ...rest] = process.argv.slice(2);
if (!Object.hasOwn(jobs, job)) {
  console.error(`usage: node tooling/scripts/run.mjs <${Object.keys(jobs).join("|")}>`);
  process.exit(2);
}
provideNode();
providePnpm();
jobs[job](rest);

/** What the strictest tools want: ^22.18 || ^24.11 || >=26. */
function suits(version) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return (major === 22 && minor >= 18) || (major === 24 && minor >= 11) || major >= 26;
}

function provideNode() {
  if (suits(process.version) && process.env.REPO_NODE !== "pinned") {
    addToPath(dirname(process.execPath));
    return;
  }
  const system = windows ? "win" : process.platform;
  const prefix = system === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  const name = `${prefix}-${system}-${process.arch}`;
  const folder = join(tools, `node-${nodeVersion}`);
  const bin = join(folder, "node_modules", name, "bin");
  if (!existsSync(join(bin, windows ? "node.exe" : "node"))) npmInstall(folder, `${name}@${nodeVersion}`);
  addToPath(bin);
}

function providePnpm() {
  const found = run("pnpm", ["--version"], { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });
  if (found.status === 0 && Number.parseInt(found.stdout, 10) === Number.parseInt(pnpmVersion, 10)) return;
  const folder = join(tools, `pnpm-${pnpmVersion}`);
  const bin = join(folder, "node_modules", ".bin");
  if (!existsSync(join(bin, windows ? "pnpm.cmd" : "pnpm"))) npmInstall(folder, `pnpm@${pnpmVersion}`);
  addToPath(bin);
}

function npmInstall(folder, spec) {
  // A package.json of its own, and no --prefix: with --prefix npm would not read the machine's global npmrc.
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"private":true}\n');
  console.log(`[setup] fetching ${spec} from npm`);
  const quiet = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = run("npm", ["install", ...quiet, spec], { cwd: folder, env: npmEnv });
  if (status === 0) return;
  rmSync(folder, { recursive: true, force: true });
  console.error(`[setup] could not fetch ${spec}; is the npm registry within reach?`);
  process.exit(status ?? 1);
}

/** `pnpm install`, left out when no manifest has changed since the last one that went well. */
function install(flags) {
  const marker = join(root, "node_modules", ".enginehouse-installed");
  const state = manifestsHash();
  if (existsSync(marker) && readFileSync(marker, "utf8") === state) return;
  must("pnpm", ["install", ...flags]);
  // Read anew: the install may have brought the lockfile up to a changed package.json.
  writeFileSync(marker, manifestsHash());
}

/** What a package needs, built; told only where it fails, for what the user waits to read is the service's address. */
function build(name) {
  const options = { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" };
  const command = ["exec", "turbo", "run", "build", `--filter=${name}`, "--output-logs=errors-only"];
  const { status, stdout } = run("pnpm", command, options);
  if (status === 0) return;
  console.error(stdout);
  process.exit(status ?? 1);
}

function manifestsHash() {
  const members = ["packages", "apps", "tooling"].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name, "package.json")),
  );
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const file of ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", ...members.toSorted()]) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(`${file}\n`).update(readFileSync(path));
  }
  return hash.digest("hex");
}

/** Runs the job's program until it ends, hands signals on, and ends as it did. */
function hold(command, args) {
  const child = spawn(command, args, { cwd: root, env, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // npm hands a SIGTERM to the shell it started, not to us: when that shell is gone, stop too.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) child.kill("SIGTERM");
  }, 500);
  watch.unref();
  child.on("error", (error) => {
    console.error(`[setup] could not run ${command}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
}

function must(command, args, output = "inherit") {
  const { status } = run(command, args, { stdio: ["inherit", output, "inherit"] });
  if (status !== 0) process.exit(status ?? 1);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, env, stdio: "inherit", shell: windows, ...options });
  if (result.error && result.error.code !== "ENOENT") throw result.error;
  return result;
}

function addToPath(folder) {
  env[pathKey] = folder + delimiter + env[pathKey];
}
