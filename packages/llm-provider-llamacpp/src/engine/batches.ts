/** A queue between one writer and one reader: the reader takes all that is there, the writer is told when to pause. */
export interface BatchQueue<Item> {
  push(item: Item): void;
  /** No more will come; `error` is thrown to the reader after what is queued. */
  end(error?: unknown): void;
  /** `undefined` while there is room, else a promise of it. */
  room(): Promise<void> | undefined;
  /** All that is ready, waiting for the first; `undefined` at the end. */
  take(): Promise<readonly Item[] | undefined>;
}

export function createBatchQueue<Item>(capacity: number): BatchQueue<Item> {
  let items: Item[] = [];
  let over = false;
  let fault: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;
  let roomy: { readonly promise: Promise<void>; readonly open: () => void } | undefined;

  const notify = (): void => {
    wake?.();
    wake = undefined;
  };
  const letWriterGo = (): void => {
    roomy?.open();
    roomy = undefined;
  };

  return {
    push(item) {
      if (over) return;
      items.push(item);
      notify();
    },
    end(error) {
      if (over) return;
      over = true;
      if (error !== undefined) fault = { error };
      notify();
      letWriterGo();
    },
    room() {
      if (over || items.length < capacity) return undefined;
      if (roomy === undefined) {
        let open: () => void = () => undefined;
        const promise = new Promise<void>((resolve) => (open = resolve));
        roomy = { promise, open };
      }
      return roomy.promise;
    },
    async take() {
      while (items.length === 0) {
        if (fault !== undefined) throw fault.error;
        if (over) return undefined;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      const taken = items;
      items = [];
      letWriterGo();
      return taken;
    },
  };
}
