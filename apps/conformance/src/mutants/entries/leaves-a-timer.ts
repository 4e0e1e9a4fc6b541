import { leftAfterClose } from "../left-after-close.ts";

export default leftAfterClose(() => {
  setInterval(() => undefined, 1_000);
});
