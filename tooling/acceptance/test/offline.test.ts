import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { type Answer, deploy } from "./deployed.ts";

/** A network namespace with loopback only, for the command behind it. */
const ALONE = ["-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"] as const;

function missing(): string | undefined {
  try {
    execFileSync("unshare", [...ALONE, "true"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "this system has no unshare and ip, or does not allow a network namespace";
  }
}

const why = missing();
const must = process.env["CI"] !== undefined;

test.skipIf(why !== undefined && !must)(
  `the service works where there is no network at all${why === undefined ? "" : ` (${why})`}`,
  async () => {
    const app = await deploy();
    try {
      const script = fileURLToPath(new URL("./alone.ts", import.meta.url));
      const { stdout } = await promisify(execFile)("unshare", [
        ...ALONE,
        process.execPath,
        script,
        app.folder,
      ]);
      const seen = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as {
        outside: string;
        answer: Answer;
        page: boolean;
      };
      expect(seen.outside).toBe("ENETUNREACH");
      expect(seen.page).toBe(true);
      expect(seen.answer.mode).toBe("generate");
      expect(JSON.stringify(seen.answer.quotes)).toContain("The lamp of Cape Rook burns green.");
    } finally {
      await app.remove();
    }
  },
);
