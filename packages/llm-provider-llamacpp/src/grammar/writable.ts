import { invalid } from "./reader.ts";
import type { Shape, Shapes } from "./shape.ts";

/** Refuses definitions that only name each other and those that no finite value fits: the model would never come to an end. */
export function assertWritable({ root, named }: Shapes): void {
  const finite = new Set<string>();
  const ends = (shape: Shape): boolean => {
    switch (shape.kind) {
      case "any":
      case "boolean":
      case "null":
      case "literal":
      case "string":
      case "number":
        return true;
      case "ref":
        return finite.has(shape.pointer);
      case "union":
        return shape.of.some(ends);
      case "array": {
        const needed = Math.max(shape.minItems, shape.prefix.length);
        return (
          shape.prefix.every(ends) &&
          (needed <= shape.prefix.length || shape.items === undefined || ends(shape.items))
        );
      }
      case "object":
        return (
          shape.properties.every((property) => !property.required || ends(property.shape)) &&
          (shape.minProperties <= shape.properties.length ||
            shape.additional === undefined ||
            ends(shape.additional))
        );
    }
  };
  for (let grown = true; grown;) {
    grown = false;
    for (const [pointer, shape] of named) {
      if (finite.has(pointer) || !ends(shape)) continue;
      finite.add(pointer);
      grown = true;
    }
  }
  for (const pointer of named.keys())
    if (!finite.has(pointer)) throw invalid(pointer, "only a value without end fits it");
  if (!ends(root)) throw invalid("#", "only a value without end fits it");

  const visiting = new Set<string>();
  const follow = (shape: Shape, from: string): void => {
    if (shape.kind === "union") for (const one of shape.of) follow(one, from);
    if (shape.kind !== "ref") return;
    if (visiting.has(shape.pointer))
      throw invalid(from, "its reference comes back to itself without a value between");
    visiting.add(shape.pointer);
    const target = named.get(shape.pointer);
    if (target !== undefined) follow(target, shape.pointer);
    visiting.delete(shape.pointer);
  };
  for (const [pointer, shape] of named) {
    visiting.add(pointer);
    follow(shape, pointer);
    visiting.delete(pointer);
  }
}
