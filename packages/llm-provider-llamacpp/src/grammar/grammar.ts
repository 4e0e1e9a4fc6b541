import { readShapes } from "./read-shapes.ts";
import type { CompileOptions, GrammarWarning } from "./shape.ts";
import { writeGbnf } from "./write-gbnf.ts";

/** What a schema becomes: a grammar each of whose texts is valid under the schema. */
export interface CompiledGrammar {
  /** For `llama.createGrammar({ grammar })`. It ends with the value; the model's end token is the only way on. */
  readonly gbnf: string;
  /** What the grammar narrows or leaves to `checkJson`, one entry each. */
  readonly warnings: readonly GrammarWarning[];
}

/** JSON Schema to GBNF. Throws `unsupported`, naming the keyword and its JSON pointer, or `invalid-request` for what is no schema. */
export function compileGrammar(schema: unknown, options: CompileOptions = {}): CompiledGrammar {
  const shapes = readShapes(schema, options);
  const { gbnf, warnings } = writeGbnf(shapes);
  return { gbnf, warnings: [...shapes.warnings, ...warnings] };
}
