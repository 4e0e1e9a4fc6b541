import { AssertionError } from "node:assert";

import { slowness } from "../run/slowness.ts";

/** How long anything may take that has no reason to take long, in milliseconds: far more than a fake needs. */
export const SOON = 3_000;

/** What `work` gives, or an error that says what was waited for. */
export async function within<Value>(ms: number, work: Promise<Value>, says: string): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = ms * slowness();
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new AssertionError({ message: `waited ${limit} ms for ${says}` })),
      limit,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
