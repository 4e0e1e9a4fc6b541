// `pnpm check`, and `npm test` after its set-up: everything that CI checks, in one list. What follows goes to Vitest.
// A step that fails does not hide the next ones; only what needs the build waits for it.
// `--only=format,lint` takes these steps alone.
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const reports = join(root, "reports");
const script = (name, ...args) => ["node", join("tooling", "scripts", name), ...args];
const pnpm = (...args) => ["pnpm", "exec", ...args];
const turbo = (...tasks) => pnpm("turbo", "run", ...tasks, "--continue", "--output-logs=errors-only");

const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
const isChoice = (arg) => arg.startsWith("--only=");
const only = process.argv.find(isChoice)?.replace("--only=", "").split(",");
const rest = process.argv.slice(2).filter((arg) => !isChoice(arg));

const allSteps = [
  { name: "format", command: pnpm("oxfmt", "--check"), advice: "pnpm fix" },
  { name: "lint", command: pnpm("oxlint", "--type-aware", "--deny-warnings") },
  { name: "boundaries", command: pnpm("turbo", "boundaries") },
  { name: "unused", command: pnpm("knip") },
  { name: "changesets", command: script("verify-changeset.mjs"), advice: "pnpm changeset" },
  { name: "types", command: turbo("typecheck") },
  { name: "build", command: turbo("build") },
  { name: "packages", command: turbo("check:package"), needs: "build" },
  { name: "contract", command: script("api.mjs"), needs: "build", advice: "pnpm api" },
  { name: "engines", command: script("engines.mjs") },
  { name: "tests", command: pnpm("vitest", "run", ...rest), needs: "build" },
];
const steps = allSteps.filter(({ name }) => only === undefined || only.includes(name));
const unknown = only?.find((name) => !allSteps.some((step) => step.name === name));
if (unknown !== undefined) {
  console.error(
    `[check] no step is called "${unknown}"; there are ${allSteps.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

mkdirSync(reports, { recursive: true });
rmSync(join(reports, "vitest.json"), { force: true });
const outcomes = {};
for (const { name, command, needs } of steps) {
  if ((outcomes[needs] ?? "ok") !== "ok") {
    outcomes[name] = "not run";
    continue;
  }
  console.log(`\n[check] ${name}: ${command.join(" ")}`);
  outcomes[name] = (await succeeds(command)) ? "ok" : "failed";
  writeFileSync(join(reports, "check.json"), `${JSON.stringify(outcomes, undefined, 2)}\n`);
}
console.log();
for (const { name, advice, needs } of steps) {
  const help = advice === undefined ? "" : `; \`${advice}\` may help`;
  if (outcomes[name] === "failed") console.log(`[check] ${name} failed${help}`);
  if (outcomes[name] === "not run") console.log(`[check] ${name} not run: it needs ${needs}`);
}
if (Object.values(outcomes).some((outcome) => outcome !== "ok")) process.exitCode = 1;
else console.log(`[check] all ${steps.length} steps passed`);

/** Whether a command ends well. A signal to stop goes on to it, and to no further one. */
function succeeds([command, ...args]) {
  const env = { ...process.env, VITEST_REPORT: join(reports, "vitest.json"), TURBO_TELEMETRY_DISABLED: "1" };
  const child = spawn(command, args, {
    cwd: root,
    env,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  const stop = (signal) => {
    child.kill(signal);
    process.exitCode = 1;
    child.once("exit", () => process.exit());
  };
  for (const signal of signals) process.once(signal, stop);
  return new Promise((resolve) => {
    child.once("error", (error) => {
      console.error(`[check] could not run ${command}: ${error.message}`);
      resolve(false);
    });
    child.once("exit", (code) => {
      for (const signal of signals) process.off(signal, stop);
      resolve(code === 0);
    });
  });
}
