// `pnpm check`, and `npm test` after its set-up: everything that CI checks, in one list. What follows goes to Vitest.
// A step that fails does not hide the next ones; only what needs the build waits for it; what it said last is said again at the end.
// `--only=format,lint` takes these steps alone.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { closingText, runStep } from "./steps.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const reports = join(root, "reports");
const script = (name, ...args) => ["node", join("tooling", "scripts", name), ...args];
const pnpm = (...args) => ["pnpm", "exec", ...args];
const turbo = (...tasks) => pnpm("turbo", "run", ...tasks, "--continue", "--output-logs=errors-only");

const env = {
  ...process.env,
  VITEST_REPORT: join(reports, "vitest.json"),
  TURBO_TELEMETRY_DISABLED: "1",
  ...(process.stdout.isTTY && process.env["NO_COLOR"] === undefined ? { FORCE_COLOR: "1" } : {}),
};
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
const tails = {};
for (const { name, command, needs } of steps) {
  if ((outcomes[needs] ?? "ok") !== "ok") {
    outcomes[name] = "not run";
    continue;
  }
  console.log(`\n[check] ${name}: ${command.join(" ")}`);
  const began = performance.now();
  // Vitest says its failures at its end by itself, and shows more where it speaks to a terminal.
  const sink = name === "tests" ? undefined : process.stdout;
  const { ok, tail } = await runStep(command, { cwd: root, env, sink });
  outcomes[name] = ok ? "ok" : "failed";
  tails[name] = tail;
  console.log(
    `[check] ${name}: ${outcomes[name]} after ${Math.round((performance.now() - began) / 1_000)} s`,
  );
  writeFileSync(join(reports, "check.json"), `${JSON.stringify(outcomes, undefined, 2)}\n`);
}
console.log(`\n${closingText(steps, outcomes, tails)}`);
if (Object.values(outcomes).some((outcome) => outcome !== "ok")) process.exitCode = 1;
