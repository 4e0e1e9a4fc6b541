// What a chat is held to: imported with its first read, so that the import of a provider does not have to carry it.
export { checkOutput, readOutputSchema, type ValueCheck } from "./output.ts";
export { droppedWarning, dropOldest } from "./overflow.ts";
export { checkRequest, withoutUndeclared } from "./policy.ts";
