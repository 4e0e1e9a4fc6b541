import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { promisify } from "node:util";

export interface SystemMemory {
  /** What a new allocation could get now, page cache included, in bytes. */
  readonly available: number;
  /** What there is at all, or what this process may use of it. */
  readonly total: number;
}

type ReadText = (path: string) => Promise<string>;
const readText: ReadText = (path) => readFile(path, "utf8");

/**
 * `os.freemem()` counts as used what the system would give back at once, on Linux and macOS alike; and in a container
 * the model file itself, once read, is counted against the limit until someone else needs the room.
 */
export async function readSystemMemory(
  read: ReadText = readText,
  platform: NodeJS.Platform = process.platform,
): Promise<SystemMemory> {
  const total = totalmem();
  if (platform === "darwin") return { available: (await readVmStat()) ?? process.availableMemory(), total };
  if (platform !== "linux") return { available: process.availableMemory(), total };
  const system = await readMeminfo(read);
  if (system === undefined) return { available: process.availableMemory(), total };
  const group = await readControlGroup(read);
  if (group === undefined) return system;
  return {
    available: Math.min(system.available, group.available),
    total: Math.min(system.total, group.total),
  };
}

async function readMeminfo(read: ReadText): Promise<SystemMemory | undefined> {
  const text = await read("/proc/meminfo").catch(() => "");
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  const total = /^MemTotal:\s+(\d+) kB$/m.exec(text)?.[1];
  if (available === undefined || total === undefined) return undefined;
  return { available: Number(available) * 1024, total: Number(total) * 1024 };
}

/** The tightest limit between this process's control group (version 2) and the root. */
async function readControlGroup(read: ReadText): Promise<SystemMemory | undefined> {
  const own = /^0::(\/.*)$/m.exec(await read("/proc/self/cgroup").catch(() => ""))?.[1];
  if (own === undefined) return undefined;
  const steps = own.split("/").filter((step) => step !== "" && step !== "..");
  let tightest: SystemMemory | undefined;
  for (let depth = steps.length; depth >= 0; depth--) {
    const folder = ["/sys/fs/cgroup", ...steps.slice(0, depth)].join("/");
    const limit = Number((await read(`${folder}/memory.max`).catch(() => "max")).trim());
    const current = Number((await read(`${folder}/memory.current`).catch(() => "")).trim());
    if (!Number.isFinite(limit) || !Number.isFinite(current)) continue;
    const stat = await read(`${folder}/memory.stat`).catch(() => "");
    const cached = ["active_file", "inactive_file"].reduce(
      (sum, name) => sum + Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat)?.[1] ?? 0),
      0,
    );
    const available = Math.max(0, limit - Math.max(0, current - cached));
    if (tightest === undefined || available < tightest.available) tightest = { available, total: limit };
  }
  return tightest;
}

async function readVmStat(): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)("/usr/bin/vm_stat", { timeout: 2_000 });
    const page = Number(/page size of (\d+) bytes/.exec(stdout)?.[1]);
    const pages = ["free", "inactive", "speculative", "purgeable"].reduce(
      (sum, name) => sum + Number(new RegExp(`^Pages ${name}:\\s+(\\d+)\\.$`, "m").exec(stdout)?.[1] ?? 0),
      0,
    );
    return Number.isFinite(page * pages) && pages > 0 ? page * pages : undefined;
  } catch {
    return undefined;
  }
}
