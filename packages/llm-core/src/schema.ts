/** The part of the Standard Schema specification (standardschema.dev, version 1) that a plugin's settings need. */
export interface SettingsSchema<Settings = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SettingsResult<Settings> | Promise<SettingsResult<Settings>>;
    readonly types?: { readonly input: unknown; readonly output: Settings } | undefined;
  };
}

export type SettingsResult<Settings> =
  | { readonly value: Settings; readonly issues?: undefined }
  | { readonly issues: readonly SettingsIssue[] };

export interface SettingsIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * A schema whose library is imported when the first value is checked, not when the plugin is: importing zod costs
 * several times what a plugin's import may.
 */
export function lazySchema<Settings>(
  load: () => Promise<SettingsSchema<Settings>>,
): SettingsSchema<Settings> & { readonly load: () => Promise<SettingsSchema<Settings>> } {
  let loaded: Promise<SettingsSchema<Settings>> | undefined;
  const once = (): Promise<SettingsSchema<Settings>> => (loaded ??= load());
  return {
    load: once,
    "~standard": {
      version: 1,
      vendor: "enginehouse",
      validate: async (value) => (await once())["~standard"].validate(value),
    },
  };
}

/** `retry.limit: expected a number`, one line for each issue. */
export function issueText(issue: SettingsIssue): string {
  const path = (issue.path ?? []).map((key) => String(typeof key === "object" ? key.key : key)).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}
