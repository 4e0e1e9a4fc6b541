import { referencePlugin } from "./plugin.ts";

/** The reference as a package's entry exports it. */
export default referencePlugin();
