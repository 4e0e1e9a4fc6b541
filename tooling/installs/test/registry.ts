import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Registry {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a package registry on a free port of the loopback interface, with its storage in `folder`. */
export async function startRegistry(folder: string, env: NodeJS.ProcessEnv): Promise<Registry> {
  const program = fileURLToPath(new URL("registry-process.ts", import.meta.url));
  const child = fork(program, [folder], { env, execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  let log = "";
  child.stdout?.on("data", (text) => (log += String(text)));
  child.stderr?.on("data", (text) => (log += String(text)));
  const ended = once(child, "exit");
  const first = await Promise.race([once(child, "message"), ended]);
  const [message] = first as readonly unknown[];
  if (typeof message !== "object" || message === null || !("port" in message)) {
    throw new Error(`the registry did not start:\n${log}`);
  }
  return {
    url: `http://127.0.0.1:${String(message.port)}/`,
    async stop() {
      child.kill();
      await ended;
    },
  };
}
