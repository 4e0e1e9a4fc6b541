import type { Report } from "./report.ts";
import { countsText } from "./summary.ts";

/** What a badge service reads from an address (the endpoint format of shields). */
export interface Badge {
  readonly schemaVersion: 1;
  readonly label: string;
  readonly message: string;
  readonly color: string;
}

export function badgeOf({ totals, green, only, kit }: Report): Badge {
  const part = only === undefined ? "" : " (a part)";
  return {
    schemaVersion: 1,
    label: `llm conformance ${kit.contract}`,
    message: `${countsText(totals)}${part}`,
    color: colourOf(green, only !== undefined || totals["known-failure"] > 0),
  };
}

function colourOf(green: boolean, partial: boolean): string {
  if (!green) return "red";
  return partial ? "yellow" : "brightgreen";
}
