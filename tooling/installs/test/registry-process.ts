import type { Server } from "node:http";
import { join } from "node:path";

import { runServer } from "verdaccio";

/** A package registry of its own process: it knows nothing but what is published to it, and ends with its parent. */
const folder = process.argv[2];
if (folder === undefined || process.send === undefined) throw new Error("started by registry.ts");
process.on("disconnect", () => process.exit());

const settings = {
  // Names the folder alone: the file need not exist.
  configPath: join(folder, "config.yaml"),
  self_path: join(folder, "config.yaml"),
  storage: join(folder, "storage"),
  auth: { htpasswd: { file: join(folder, "htpasswd") } },
  uplinks: {},
  packages: { "**": { access: "$all", publish: "$all" } },
  web: { enable: false },
  log: { type: "stdout", format: "pretty", level: "error" },
  max_body_size: "100mb",
};
const server = (await runServer(settings as unknown as Parameters<typeof runServer>[0])) as Server;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") process.send?.({ port: address?.port });
});
