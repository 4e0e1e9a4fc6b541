import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { LlmError } from "@enginehouse/llm-core";

import { diskFault } from "./disk-fault.ts";

/** Tells this process from an earlier one with the same number: in a container every process is number 1. */
const PROCESS = randomUUID();

/** Two must not write one part. Throws `unavailable` while another does; the lock of a process that is gone does not count. */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  for (let attempt = 0; ; attempt++) {
    try {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, "wx");
      await file.writeFile(`${process.pid} ${PROCESS}`);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST"))
        throw diskFault(error, path);
      const owner = await readFile(path, "utf8").catch(() => "");
      if (attempt > 0 || isHeld(owner)) {
        throw new LlmError("unavailable", `process ${owner.split(" ")[0]} is fetching this model already`, {
          cause: error,
          hint: `Wait for it, or delete ${path} if it is gone.`,
        });
      }
      await rm(path, { force: true });
    }
  }
}

function isHeld(owner: string): boolean {
  const [number, token] = owner.split(" ");
  const pid = Number(number);
  if (pid === process.pid) return token === PROCESS;
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
