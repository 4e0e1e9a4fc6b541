import { writeFile } from "node:fs/promises";

import { z } from "zod";

import { settings } from "./src/settings.ts";

// Writes the JSON Schema that the manifest names, so that an application can check and show settings without our code.
const schema = z.toJSONSchema((await settings.load()) as unknown as z.ZodType);
await writeFile(
  new URL("./dist/settings.schema.json", import.meta.url),
  `${JSON.stringify(schema, null, 2)}\n`,
);
