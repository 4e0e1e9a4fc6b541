import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where models are kept when no setting says otherwise: the user's data folder for Enginehouse. */
export function defaultModelsDir(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const own = env["ENGINEHOUSE_DATA_DIR"]?.trim();
  if (own !== undefined && own !== "") return join(own, "models");
  if (platform === "darwin") return join(home, "Library", "Application Support", "enginehouse", "models");
  if (platform === "win32")
    return join(env["LOCALAPPDATA"] ?? join(home, "AppData", "Local"), "enginehouse", "models");
  const shared = env["XDG_DATA_HOME"];
  const base = shared !== undefined && isAbsolute(shared) ? shared : join(home, ".local", "share");
  return join(base, "enginehouse", "models");
}
