// Writes the JSON Schema that the manifest names, so that an application can check and show settings without our code.
import { writeFile } from "node:fs/promises";

import { z } from "zod";

import { settings } from "./dist/settings.js";

const schema = z.toJSONSchema(await settings.load());
await writeFile(
  new URL("./dist/settings.schema.json", import.meta.url),
  `${JSON.stringify(schema, null, 2)}\n`,
);
