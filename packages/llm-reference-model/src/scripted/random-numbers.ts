/** Numbers that look random and are the same for the same seed on every machine. */
export interface RandomNumbers {
  /** Evenly spread, from 0 up to but not including 1. */
  uniform(): number;
  /** Normally distributed, with this standard deviation. */
  normal(count: number, deviation: number): Float32Array;
}

export function randomNumbers(seed: number): RandomNumbers {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    uniform,
    normal(count, deviation) {
      // 1 - u keeps the logarithm away from zero.
      const draw = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
      return Float32Array.from({ length: count }, () => draw() * deviation);
    },
  };
}
