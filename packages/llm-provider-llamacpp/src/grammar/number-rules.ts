import type { Shape } from "./shape.ts";

/** The largest whole number a grammar writes: fifteen digits are exact in JavaScript. */
const LARGEST = 999_999_999_999_999;

/** A rule for the numbers between two whole bounds, written without a leading zero. */
export function writeNumber({ integer, min, max }: Extract<Shape, { kind: "number" }>): string {
  if (min === undefined && max === undefined) {
    const whole = `"-"? ("0" | [1-9] [0-9]{0,14})`;
    return integer ? whole : `${whole} ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?`;
  }
  const low = min ?? { value: -LARGEST, exclusive: false };
  const high = max ?? { value: LARGEST, exclusive: false };
  // More decimals than a double holds beside a bound's digits could round onto a bound that is excluded.
  const widest = Math.max(
    ...[min, max].map((bound) => (bound === undefined ? 1 : String(Math.abs(bound.value)).length)),
  );
  const decimals = Math.max(0, 15 - widest);
  const options: string[] = [];
  if (high.value >= 0) {
    const from = low.value >= 0 ? low : { value: 0, exclusive: false };
    options.push(...between(from, high, integer, decimals));
  }
  if (low.value < 0) {
    const from =
      high.value < 0
        ? { value: -high.value, exclusive: high.exclusive }
        : { value: integer ? 1 : 0, exclusive: !integer };
    options.push(
      ...between(from, { value: -low.value, exclusive: low.exclusive }, integer, decimals).map(
        (option) => `"-" (${option})`,
      ),
    );
  }
  return options.join(" | ");
}

interface Edge {
  readonly value: number;
  readonly exclusive: boolean;
}

/** Options for the numbers from `low` to `high`, both not below zero. */
function between(low: Edge, high: Edge, integer: boolean, decimals: number): readonly string[] {
  if (low.value > high.value || (low.value === high.value && (low.exclusive || high.exclusive))) return [];
  if (integer) return [wholes(low.value, high.value)];
  if (low.value === high.value) return [literal(low.value)];
  if (decimals === 0) {
    const first = low.exclusive ? low.value + 1 : low.value;
    const last = high.exclusive ? high.value - 1 : high.value;
    return first > last ? [] : [wholes(first, last)];
  }
  const fraction = `("." [0-9]{1,${decimals}})?`;
  const beyond = `"." [0-9]{0,${decimals - 1}} [1-9]`;
  const options = [low.exclusive ? `${literal(low.value)} ${beyond}` : `${literal(low.value)} ${fraction}`];
  if (low.value + 1 < high.value) options.push(`(${wholes(low.value + 1, high.value - 1)}) ${fraction}`);
  if (!high.exclusive) options.push(literal(high.value));
  return options;
}

/** Alternatives for the whole numbers from `low` to `high`. */
function wholes(low: number, high: number): string {
  const options: string[] = [];
  for (let digits = String(low).length; digits <= String(high).length; digits++) {
    const from = Math.max(low, digits === 1 ? 0 : 10 ** (digits - 1));
    const to = Math.min(high, 10 ** digits - 1);
    options.push(sameLength(String(from), String(to)));
  }
  return options.join(" | ");
}

function sameLength(low: string, high: string): string {
  if (low === high) return literal(low);
  const rest = low.length - 1;
  const [first = "0"] = low;
  const [last = "9"] = high;
  if (rest === 0) return digits(first, last);
  const lowRest = low.slice(1);
  const highRest = high.slice(1);
  if (first === last) return `${literal(first)} (${sameLength(lowRest, highRest)})`;
  const zeros = "0".repeat(rest);
  const nines = "9".repeat(rest);
  const options: string[] = [];
  let from = Number(first);
  let to = Number(last);
  if (lowRest !== zeros) {
    options.push(`${literal(first)} (${sameLength(lowRest, nines)})`);
    from++;
  }
  if (highRest !== nines) to--;
  if (from <= to) options.push(`${digits(String(from), String(to))} [0-9]{${rest}}`);
  if (highRest !== nines) options.push(`${literal(last)} (${sameLength(zeros, highRest)})`);
  return options.join(" | ");
}

function digits(from: string, to: string): string {
  return from === to ? literal(from) : `[${from}-${to}]`;
}

function literal(value: number | string): string {
  return `"${value}"`;
}
