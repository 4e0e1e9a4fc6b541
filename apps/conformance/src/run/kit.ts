import { existsSync, readFileSync } from "node:fs";

export interface Kit {
  readonly name: string;
  readonly version: string;
}

/** What this package calls itself. Its package.json is one or two folders up, built or not. */
export function readKit(): Kit {
  for (const up of ["../package.json", "../../package.json"]) {
    const file = new URL(up, import.meta.url);
    if (!existsSync(file)) continue;
    const { name, version } = JSON.parse(readFileSync(file, "utf8")) as Kit;
    return { name, version };
  }
  return { name: "@enginehouse/llm-conformance", version: "unknown" };
}
