import type { Located } from "./pointer.ts";
import type { Shape } from "./shape.ts";

/** One node of a schema, for its own keywords. */
export interface Source {
  readonly node: Readonly<Record<string, unknown>>;
  readonly pointer: string;
}

/** One way to satisfy a conjunction: the nodes that then hold together, and a reference that can stay one. */
export interface Alternative {
  readonly sources: readonly Source[];
  readonly reference: { readonly shape: Shape; readonly target: Located } | undefined;
}

/** Both at once. */
export function both(one: Alternative, other: Alternative): Alternative {
  const sources = [...one.sources, ...other.sources];
  if (one.reference === undefined || other.reference === undefined) {
    return { sources, reference: one.reference ?? other.reference };
  }
  const { node, pointer } = other.reference.target;
  return { sources: [...sources, { node: { allOf: [node] }, pointer }], reference: one.reference };
}
