import { type Check, GROUPS } from "../check.ts";
import { type CheckResult, totalsOf } from "../report/report.ts";
import { countsText } from "../report/summary.ts";
import type { Plan } from "../run/plan.ts";

/** What is shown while the checks run. */
export interface Progress {
  onStart(check: Pick<Check, "id" | "promise">): void;
  onResult(result: CheckResult): void;
  end(): void;
}

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** In a terminal one line that changes; elsewhere a line at the end of each group. */
export function createProgress({ entries }: Plan, stream: ProgressStream): Progress {
  const total = entries.length;
  const left = new Map<string, number>();
  for (const entry of entries) {
    const group = "skipped" in entry ? entry.skipped.group : entry.check.group;
    left.set(group, (left.get(group) ?? 0) + 1);
  }
  const results: CheckResult[] = [];
  return stream.isTTY === true
    ? {
        onStart({ id, promise }) {
          const line = `${results.length + 1} of ${total} · ${failures(results)}${id} ${promise}`;
          stream.write(`\r\u001B[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
        },
        onResult: (result) => void results.push(result),
        end: () => void stream.write("\r\u001B[2K"),
      }
    : {
        onStart: () => undefined,
        onResult(result) {
          results.push(result);
          const { group } = result;
          const rest = (left.get(group) ?? 0) - 1;
          left.set(group, rest);
          if (rest > 0) return;
          const own = results.filter((one) => one.group === group);
          stream.write(`${group} ${GROUPS[group]}: ${countsText(totalsOf(own))}\n`);
        },
        end: () => void stream.write("\n"),
      };
}

function failures(results: readonly CheckResult[]): string {
  const { failed } = totalsOf(results);
  return failed === 0 ? "" : `${failed} failed · `;
}
