// The real llama-server for tests: on a port of its own, with one thread.
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";

import { findEngine, present } from "./live.js";

/** Starts it with a model's file, or skips the test with the reason why it cannot. */
export async function startLlama(context, model, flags = []) {
  const program = present(context, findEngine("llama-server"));
  const file = present(context, model);
  const own = ["-m", file, "--host", "127.0.0.1", "--port", "0", "-t", "1", "-tb", "1"];
  const child = spawn(program, [...own, ...flags], {
    env: { ...process.env, LD_LIBRARY_PATH: dirname(program) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const address = await listening(child);
  if (address === undefined) return context.skip("the prebuilt llama-server needs a processor with AVX-VNNI");
  const key = flags.includes("--api-key") ? flags[flags.indexOf("--api-key") + 1] : undefined;
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return {
    address,
    async busy() {
      const reply = await fetch(`${address}/slots`, { headers });
      return (await reply.json()).some((slot) => slot.is_processing);
    },
    async stop() {
      const gone = new Promise((resolve) => void child.once("exit", resolve));
      child.kill("SIGTERM");
      await Promise.race([gone, pause(2_000)]);
      child.kill("SIGKILL");
    },
  };
}

/** The address, or nothing where the processor does not know an instruction of the program. */
function listening(child) {
  let said = "";
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (signal === "SIGILL") resolve(undefined);
      else reject(new Error(`llama-server ended with ${code ?? signal}: ${said.slice(-2_000)}`));
    });
    child.stderr.on("data", (data) => {
      if (said.includes("listening on")) return;
      said += data.toString();
      const found = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
}
