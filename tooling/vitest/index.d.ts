import type { TestProjectInlineConfiguration, UserWorkspaceConfig } from "vitest/config";

type TestOptions = NonNullable<TestProjectInlineConfiguration["test"]>;

export declare const project: (name: string, test?: TestOptions) => UserWorkspaceConfig;

/** For tests that wait more than they compute: more of them at once than there are cores, after all others. */
export declare const waiting: Pick<TestOptions, "maxWorkers" | "sequence">;
