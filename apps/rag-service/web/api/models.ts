import { createResource } from "./resource.ts";
import { listModels } from "./service.ts";

export const models = createResource(listModels);
