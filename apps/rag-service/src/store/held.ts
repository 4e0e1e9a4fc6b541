import { isLlmError, type LlmError } from "@enginehouse/llm-core";

/** Another program holds the database: whatever was asked of it can be asked again. */
export function isLocked(error: unknown): boolean {
  return isLlmError(error) && error.operation === "store" && error.code === "unavailable";
}

/** What passes when somebody closes that program, or makes room on the disk. */
export function isHeld(error: unknown): error is LlmError {
  if (!isLlmError(error) || error.operation !== "store") return false;
  return error.code === "disk-full" || isLocked(error);
}
