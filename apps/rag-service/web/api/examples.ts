import { createResource } from "./resource.ts";
import { listExamples } from "./service.ts";

/** The documents offered on first start. */
export const examples = createResource(listExamples);
