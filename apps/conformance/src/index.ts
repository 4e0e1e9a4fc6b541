export * from "./backend.ts";
export * from "./check.ts";
export { CHECKS } from "./checks/index.ts";
export { assertReport } from "./report/assert-report.ts";
export * from "./report/report.ts";
export { runChecks, type RunOptions } from "./run/run-checks.ts";
export * from "./scenario.ts";
export * from "./subject.ts";
