import { library } from "@enginehouse/tsup-preset";

// Splitting keeps what is imported at first use out of `index.js`.
export default library({ splitting: true });
