/** A schema brought to one form: references named, conjunctions merged, only what a grammar can express. */
export interface Shapes {
  readonly root: Shape;
  /** Targets of `$ref`, by pointer. */
  readonly named: ReadonlyMap<string, Shape>;
  readonly warnings: readonly GrammarWarning[];
}

export type Shape = { readonly description?: string | undefined } & (
  | { readonly kind: "any" | "boolean" | "null" }
  | { readonly kind: "literal"; readonly values: readonly unknown[] }
  | {
      readonly kind: "string";
      readonly minLength: number;
      readonly maxLength: number | undefined;
      readonly format: StringFormat | undefined;
    }
  | {
      readonly kind: "number";
      readonly integer: boolean;
      readonly min: Bound | undefined;
      readonly max: Bound | undefined;
    }
  | {
      readonly kind: "array";
      readonly prefix: readonly Shape[];
      readonly items: Shape | undefined;
      readonly minItems: number;
      readonly maxItems: number | undefined;
    }
  | {
      readonly kind: "object";
      readonly properties: readonly Property[];
      readonly additional: Shape | undefined;
      readonly minProperties: number;
      readonly maxProperties: number | undefined;
    }
  | { readonly kind: "union"; readonly of: readonly Shape[] }
  | { readonly kind: "ref"; readonly pointer: string }
);

export interface Property {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
}

export type StringFormat = "date" | "time" | "date-time" | "uuid";

/** Always a whole number: what is not whole has been moved inwards. */
export interface Bound {
  readonly value: number;
  readonly exclusive: boolean;
}

/** Something of the schema that the grammar narrows, or leaves to the check after generation. */
export interface GrammarWarning {
  readonly keyword: string;
  /** JSON pointer to the keyword in the schema: `#/properties/age/minimum`. */
  readonly pointer: string;
  readonly message: string;
}

export interface CompileOptions {
  /**
   * `error` (default): a keyword that the grammar cannot express throws `unsupported`.
   * `warn`: it is left to `checkJson` and named in `warnings`.
   */
  readonly unsupported?: "error" | "warn" | undefined;
}
