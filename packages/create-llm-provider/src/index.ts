export { type Created, type CreateOptions, createProviderPackage } from "./create.ts";
export { type Names, namesOf } from "./names.ts";
