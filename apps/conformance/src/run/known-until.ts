/** The last day that a known failure may have: `2027-11-21` after `2026-11-21`. What is known for longer is accepted. */
export const yearAfter = (day: string): string => `${Number(day.slice(0, 4)) + 1}${day.slice(4)}`;
