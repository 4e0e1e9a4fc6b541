import type { Token } from "node-llama-cpp";

import type { EngineEvent } from "../wire.ts";

/** The chunks of one answer as events. */
export function createAnswer(emit: (event: EngineEvent) => void) {
  let thoughtTokens = 0;
  let open: { index: number; name: string } | undefined;
  const answer = {
    thoughtTokens: () => thoughtTokens,
    chunk(chunk: { type: "segment" | undefined; text: string; tokens: readonly Token[] }): void {
      if (chunk.type === "segment") thoughtTokens += chunk.tokens.length;
      if (chunk.text !== "") emit({ kind: chunk.type === "segment" ? "thought" : "text", text: chunk.text });
    },
    callChunk(chunk: { callIndex: number; functionName: string; paramsChunk: string }): void {
      open = { index: chunk.callIndex, name: chunk.functionName };
      emit({ kind: "call-text", ...open, text: chunk.paramsChunk });
    },
    calls: 0,
    call(call: { functionName: string }): void {
      emit({ kind: "call-end", index: answer.calls, name: call.functionName });
      answer.calls += 1;
      open = undefined;
    },
    /** True when the fault is the model's: its arguments do not fit the tool's schema. */
    failCall(error: unknown): boolean {
      if (open === undefined || !(error instanceof Error)) return false;
      if (!CALL_FAULTS.has(error.constructor.name)) return false;
      emit({ kind: "call-end", ...open, error: error.message });
      return true;
    },
  };
  return answer;
}

const CALL_FAULTS: ReadonlySet<string> = new Set([
  "LlamaFunctionCallValidationError",
  "LlamaJsonSchemaValidationError",
  "SyntaxError",
]);
