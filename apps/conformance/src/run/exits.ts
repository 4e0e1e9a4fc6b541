import { writeSync } from "node:fs";
import process from "node:process";

import type { Check } from "../check.ts";

/** A provider that ends the process would end its tests with it, and with code 0 they would look green. */
export function watchExits({ id }: Pick<Check, "id">): { stop(): void } {
  const ended = (code: number): void => {
    writeSync(
      2,
      `\nthe process was ended with code ${code} while ${id} ran: a provider never calls process.exit()\n`,
    );
    process.exitCode = 1;
  };
  process.on("exit", ended);
  return { stop: () => void process.off("exit", ended) };
}
