import { LlmError } from "@enginehouse/llm-core";

const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);
const CLOSED: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "EISDIR"]);

/** `disk-full` or `forbidden` for what the file system answered; any other error as it is. */
export function diskFault(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  if (FULL.has(code)) {
    return new LlmError("disk-full", `there is no room left to write ${path}`, {
      cause: error,
      hint: "Free some space, or set modelsDir to another disk; what has arrived is kept.",
    });
  }
  if (CLOSED.has(code)) {
    return new LlmError("forbidden", `${path} cannot be written (${code})`, {
      cause: error,
      hint: "Set modelsDir to a folder that you may write to.",
    });
  }
  return error;
}
