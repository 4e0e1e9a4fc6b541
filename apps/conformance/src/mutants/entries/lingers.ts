import { leftAfterClose } from "../left-after-close.ts";

export default leftAfterClose(() => {
  setTimeout(() => undefined, 1_000);
});
