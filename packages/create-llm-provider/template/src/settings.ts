import process from "node:process";

import { lazySchema } from "@enginehouse/llm-core";
import type { ZodType } from "zod";

/** What a user may configure. Read once, when the provider is first used. */
export interface AcmeSettings {
  /** Where the server listens. Default `ACME_BASE_URL`, else http://127.0.0.1:8700. */
  readonly baseUrl?: string | undefined;
  /** Default `ACME_API_KEY`, else none. */
  readonly apiKey?: string | undefined;
}

export const settings = lazySchema(async () => {
  const { z } = await import("zod"); // slow: not at the plugin's import
  const schema: ZodType<AcmeSettings> = z.strictObject({
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
    apiKey: z.string().min(1).optional(),
  });
  return schema;
});

/** Defaults and environment filled in: called at the first operation, never at import. */
export function connectionOf({ baseUrl, apiKey }: AcmeSettings): {
  baseUrl: string;
  key: string | undefined;
} {
  return {
    baseUrl: baseUrl ?? (process.env["ACME_BASE_URL"] || "http://127.0.0.1:8700"),
    key: apiKey ?? (process.env["ACME_API_KEY"] || undefined),
  };
}
