import { WIRE_ABILITIES } from "../backend.ts";
import { OWN_WIRES } from "../fakes/wires.ts";

interface Told {
  readonly wire: string;
  readonly cannot: Readonly<Record<string, string | undefined>>;
}

/**
 * What is wrong with what a backend says that it cannot: skips follow from it, so each has to be a word of the kit with
 * a reason, and who goes by the name of one of the kit's own fakes cannot do less than that.
 */
export function dishonestyOf({ wire, cannot }: Told): string | undefined {
  if (wire.trim() === "") return "the backend's wire has no name";
  for (const [ability, reason = ""] of Object.entries(cannot)) {
    if (!Object.hasOwn(WIRE_ABILITIES, ability))
      return `"${ability}", which ${wire} cannot, is no ability of a wire`;
    if (reason.trim() === "") return `${wire} has no "${ability}", and does not say why`;
  }
  const namesakes = OWN_WIRES.filter((own) => own.wire === wire);
  if (namesakes.length === 0 || namesakes.some((own) => alike(own.cannot, cannot))) return undefined;
  const invented = Object.keys(cannot).find((ability) =>
    namesakes.every((own) => !Object.hasOwn(own.cannot, ability)),
  );
  return invented === undefined
    ? `"${wire}" is the name of a fake of the kit, and that one says otherwise what it cannot`
    : `"${wire}" is the name of a fake of the kit, and that one has "${invented}"`;
}

function alike(own: Told["cannot"], other: Told["cannot"]): boolean {
  const names = Object.keys(own);
  return names.length === Object.keys(other).length && names.every((name) => own[name] === other[name]);
}
