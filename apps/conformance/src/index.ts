export * from "./backend.ts";
export * from "./check.ts";
export * from "./scenario.ts";
export * from "./subject.ts";
