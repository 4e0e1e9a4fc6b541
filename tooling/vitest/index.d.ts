import type { TestProjectInlineConfiguration, UserWorkspaceConfig } from "vitest/config";

export declare const project: (
  name: string,
  test?: TestProjectInlineConfiguration["test"],
) => UserWorkspaceConfig;
