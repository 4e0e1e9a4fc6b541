/** One key for one model: `name` and `name:latest` are the same. */
export const keyOf = (model: string): string => model.replace(/:latest$/, "");
