import type { Job } from "../../src/api/schemas.ts";
import { bytesOf, count } from "../figures.ts";

export const PREPARING = "Preparing the search";

const words: Readonly<Record<string, string>> = {
  waiting: "Waiting for its turn",
  extracting: "Reading",
  chunking: "Cutting into passages",
  embedding: PREPARING,
  indexing: "Storing",
};

type Progress = Pick<Job, "status" | "stage" | "done" | "total" | "unit">;

/** What a job does now, in words: "Reading page 12 of 40". */
export function stageText({ status, stage, done, total, unit }: Progress): string {
  if (status === "queued") return "Waiting for its turn";
  const word = words[stage] ?? `${stage.charAt(0).toUpperCase()}${stage.slice(1)}`;
  if (total === undefined || total === 0) return word;
  switch (unit) {
    case "pages":
      return `${word} page ${count(Math.min(done + 1, total))} of ${count(total)}`;
    case "chunks":
      return `${word}, passage ${count(done)} of ${count(total)}`;
    case "bytes":
      return `${word}, ${bytesOf(done, total)}`;
    case "steps":
    case undefined:
      return `${word}, ${count(done)} of ${count(total)}`;
  }
}
