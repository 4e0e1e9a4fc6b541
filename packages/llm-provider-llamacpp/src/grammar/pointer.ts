/** A part of a schema document and where it stands in it. */
export interface Located {
  readonly node: unknown;
  readonly pointer: string;
}

/** What `#`, `#/$defs/name` or `#anchor` points to inside the document; `undefined` when it points to nothing there. */
export function resolvePointer(root: unknown, reference: string): Located | undefined {
  if (reference === "#" || reference === "") return { node: root, pointer: "#" };
  if (!reference.startsWith("#")) return undefined;
  if (!reference.startsWith("#/")) return findAnchor(root, reference.slice(1), "#", 0);
  let node: unknown = root;
  for (const step of reference.slice(2).split("/")) {
    const name = unescape(step);
    if (typeof node !== "object" || node === null || name === undefined || !Object.hasOwn(node, name))
      return undefined;
    node = Reflect.get(node, name);
  }
  return { node, pointer: reference };
}

/** `pointer` one step deeper. */
export function below(pointer: string, ...steps: readonly (string | number)[]): string {
  return [pointer, ...steps.map((step) => String(step).replaceAll("~", "~0").replaceAll("/", "~1"))].join(
    "/",
  );
}

function unescape(step: string): string | undefined {
  try {
    return decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return undefined;
  }
}

function findAnchor(node: unknown, anchor: string, pointer: string, depth: number): Located | undefined {
  if (typeof node !== "object" || node === null || depth > 100) return undefined;
  if (Reflect.get(node, "$anchor") === anchor) return { node, pointer };
  for (const [name, child] of Object.entries(node)) {
    const found = findAnchor(child, anchor, below(pointer, name), depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
