import { library } from "@enginehouse/tsup-preset";

export default library();
