import { smallSubject } from "../../run/small.ts";

export default smallSubject({}, { live: { settings: ({ url }) => ({ url }) } });
