import { readdirSync, readFileSync } from "node:fs";

/** The engine processes that `parent` started, by their ids. Only where there is a /proc. */
export function enginesOf(parent: number = process.pid): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((id) => {
      const status = statusOf(id);
      if (status === undefined || status.parent !== parent || status.state === "Z") return false;
      return readFileSync(`/proc/${id}/cmdline`, "utf8").includes("child-main");
    });
}

export function isAlive(id: number): boolean {
  const status = statusOf(id);
  return status !== undefined && status.state !== "Z";
}

/** Processor time that a process has used so far, in milliseconds. */
export function processorTime(id: number): number {
  return (statusOf(id)?.ticks ?? 0) * 10;
}

function statusOf(id: number): { parent: number; state: string; ticks: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return {
      state: fields[0] ?? "",
      parent: Number(fields[1]),
      ticks: Number(fields[11]) + Number(fields[12]),
    };
  } catch {
    return undefined;
  }
}
