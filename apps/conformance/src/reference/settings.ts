import type { JsonObject, SettingsIssue, SettingsSchema } from "@enginehouse/llm-core";

import { faultsOf } from "./json-schema.ts";

/** What a user may configure. Read at the first operation. */
export interface ReferenceSettings {
  /** Default `REFERENCE_BASE_URL`, else `http://127.0.0.1:9100`. */
  readonly baseUrl?: string | undefined;
  readonly key?: string | undefined;
  /** Tokens. Default what the backend chooses. */
  readonly contextWindow?: number | undefined;
  /** For requests that say nothing. Default the backend's habit. */
  readonly keepAliveMs?: number | undefined;
  /** Chats at the same time; the others wait. Default no limit. */
  readonly parallel?: number | undefined;
  /** A download without progress for so long fails. Default 60 000. */
  readonly pullStallMs?: number | undefined;
}

export const SETTINGS_SCHEMA: JsonObject = {
  type: "object",
  properties: {
    baseUrl: { type: "string", format: "uri" },
    key: { type: "string", minLength: 1 },
    contextWindow: { type: "integer", minimum: 1 },
    keepAliveMs: { type: "number", minimum: 0 },
    parallel: { type: "integer", minimum: 1 },
    pullStallMs: { type: "number", minimum: 1 },
  },
  additionalProperties: false,
};

/** A Standard Schema by hand: the kit depends on no validator. */
export const settingsOf = (schema: JsonObject): SettingsSchema<ReferenceSettings> => ({
  "~standard": {
    version: 1,
    vendor: "enginehouse",
    validate(value) {
      const issues: SettingsIssue[] = faultsOf(schema, value).map(({ path, says }) => ({
        path,
        message: says,
      }));
      return issues.length === 0 ? { value: value as ReferenceSettings } : { issues };
    },
  },
});

export const addressOf = ({ baseUrl }: ReferenceSettings, env: NodeJS.ProcessEnv = process.env): string =>
  (baseUrl ?? env["REFERENCE_BASE_URL"] ?? "http://127.0.0.1:9100").replace(/\/+$/, "");
