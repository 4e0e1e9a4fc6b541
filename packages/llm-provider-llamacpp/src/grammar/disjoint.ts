import { sameJson, typeOf } from "./json-values.ts";
import type { Shape } from "./shape.ts";

/** True only when it is certain that no value fits both. */
export function areDisjoint(one: Shape, other: Shape, named: ReadonlyMap<string, Shape>, depth = 0): boolean {
  if (depth > 20) return false;
  const again = (left: Shape, right: Shape): boolean => areDisjoint(left, right, named, depth + 1);
  if (one.kind === "ref") return again(named.get(one.pointer) ?? { kind: "any" }, other);
  if (other.kind === "ref") return again(one, named.get(other.pointer) ?? { kind: "any" });
  if (one.kind === "union") return one.of.every((branch) => again(branch, other));
  if (other.kind === "union") return other.of.every((branch) => again(one, branch));
  if (one.kind === "any" || other.kind === "any") return false;
  if (one.kind === "literal" && other.kind === "literal") {
    return one.values.every((value) => other.values.every((second) => !sameJson(value, second)));
  }
  if (one.kind === "literal") return one.values.every((value) => typeOf(value) !== other.kind);
  if (other.kind === "literal") return again(other, one);
  if (one.kind !== other.kind) return true;
  if (one.kind === "object" && other.kind === "object") {
    return one.properties.some(({ name, required, shape }) => {
      const same = other.properties.find((property) => property.name === name);
      // A property that the other must have and this one never writes is not proof: the schema itself may allow it.
      return same !== undefined && required && same.required && again(shape, same.shape);
    });
  }
  if (one.kind === "number" && other.kind === "number")
    return isBelow(one.max, other.min) || isBelow(other.max, one.min);
  return false;
}

interface Edge {
  readonly value: number;
  readonly exclusive: boolean;
}

function isBelow(max: Edge | undefined, min: Edge | undefined): boolean {
  if (max === undefined || min === undefined) return false;
  return max.value < min.value || (max.value === min.value && (max.exclusive || min.exclusive));
}
