import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The service as somebody would deploy it: its own folder, with nothing of this workspace around it. */
export interface Deployed {
  readonly folder: string;
  /** Adds and removes dependencies in the deployed package.json. */
  depend(on: Readonly<Record<string, string | undefined>>): Promise<void>;
  remove(): Promise<void>;
}

export async function deploy(): Promise<Deployed> {
  const base = await mkdtemp(join(tmpdir(), "enginehouse acceptance "));
  const folder = join(base, "app");
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));
  await promisify(execFile)(
    "pnpm",
    ["--filter", "@enginehouse/rag-service", "deploy", "--prod", "--offline", folder],
    {
      cwd: root,
      env,
    },
  );
  const file = join(folder, "package.json");
  return {
    folder,
    async depend(on) {
      const manifest = JSON.parse(await readFile(file, "utf8")) as { dependencies: Record<string, string> };
      for (const [name, version] of Object.entries(on)) {
        if (version === undefined) delete manifest.dependencies[name];
        else manifest.dependencies[name] = version;
      }
      await writeFile(file, JSON.stringify(manifest));
    },
    remove: () => rm(base, { recursive: true, force: true }),
  };
}

export interface Running {
  readonly url: string;
  /** Its data folder. */
  readonly data: string;
  /** All that it wrote to its terminal. */
  readonly output: () => string;
  stop(): Promise<void>;
}

export interface Setting {
  /** The `config.json` in its data folder. */
  readonly config?: object;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the deployed service with a data folder of its own. */
export async function start({ folder }: Deployed, { config, env }: Setting = {}): Promise<Running> {
  const data = await mkdtemp(join(tmpdir(), "enginehouse-data-"));
  if (config !== undefined) await writeFile(join(data, "config.json"), JSON.stringify(config));
  const child = spawn(process.execPath, ["dist/server.js"], {
    cwd: folder,
    env: { ...process.env, PORT: "0", HOST: "", ENGINEHOUSE_DATA_DIR: data, NODE_OPTIONS: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    const take = (piece: Buffer): void => {
      output += piece.toString();
      const found = /http:\/\/\S+/.exec(output);
      if (found !== null) resolve(found[0]);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    exited.then(
      ([code]) => reject(new Error(`the service ended with ${String(code)}: ${output}`)),
      (error: unknown) => reject(error as Error),
    );
  });
  return {
    url,
    data,
    output: () => output,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      await rm(data, { recursive: true, force: true });
    },
  };
}

export interface Citation {
  readonly quote: string;
  readonly charStart: number;
  readonly charEnd: number;
}

export interface Answer {
  readonly mode: string;
  readonly answer: string;
  readonly citations: readonly Citation[];
  readonly quotes: readonly Citation[];
  readonly attempts: readonly {
    readonly providerId: string;
    readonly model: string;
    readonly demonstration?: boolean;
  }[];
  readonly notices?: readonly unknown[];
}

export async function getJson<Body>(url: string): Promise<Body> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Body;
}

export async function postJson<Body>(url: string, body: unknown): Promise<Body> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Body;
}

/** Hands a text in and waits until it can be searched. */
export async function addText(url: string, name: string, text: string): Promise<void> {
  const form = new FormData();
  form.append("file", new Blob([text], { type: "text/plain" }), name);
  const response = await fetch(`${url}/api/v1/collections/default/documents`, { method: "POST", body: form });
  if (!response.ok) throw new Error(await response.text());
  const { jobId } = (await response.json()) as { jobId: string };
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const job = await getJson<{ status: string }>(`${url}/api/v1/jobs/${jobId}`);
    if (job.status === "completed") return;
    if (job.status === "failed" || job.status === "cancelled")
      throw new Error(`${name}: ${JSON.stringify(job)}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  throw new Error(`${name} was not taken in within 30 s`);
}
