/** Calls `visit` for a schema and for every schema inside it, with its JSON pointer. Booleans are passed over. */
export declare function eachSchema(schema: unknown, visit: (rule: Schema, at: string) => void, at?: string): void;

/** What of a schema no value can be held to here: keywords that are not known, references to nothing, odd patterns. */
export declare function faultsOfSchema(schema: unknown): readonly SchemaFault[];

/**
 * Where a value breaks a schema of draft 2020-12; empty when it fits. The keywords of 2019-09 and draft 7 that other
 * ones took the place of are understood. What `faultsOfSchema` names is passed over.
 */
export declare function faultsOfValue(value: unknown, schema: unknown): readonly SchemaFault[];

export declare type Schema = Readonly<Record<string, unknown>>;

/** Something that does not fit, or that cannot be held to. */
export declare interface SchemaFault {
    /** JSON pointer, into the value or into the schema: `/items/0/price`. Empty for the whole. */
    readonly at: string;
    readonly message: string;
}

export { }
