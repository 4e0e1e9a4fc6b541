export { eachSchema, faultsOfSchema, type Schema, type SchemaFault } from "./json-schema/schema.ts";
export { faultsOfValue } from "./json-schema/value.ts";
