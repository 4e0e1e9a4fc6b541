import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from "react";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const listeners = new Set<() => void>();
let place = readPlace();

/** Where the page is; everything that a reload must bring back is in it. */
export function usePlace(): Place {
  return useSyncExternalStore(subscribe, () => place);
}

export function currentPlace(): Place {
  return place;
}

export function navigate(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(history.state, "", to);
  else history.pushState(null, "", to);
  update();
  if (!replace) window.scrollTo(0, 0);
}

/** The current address with some of its parameters changed; `undefined` takes one away. */
export function addressWith(changes: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(place.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  }
  const search = query.toString();
  return search === "" ? place.path : `${place.path}?${search}`;
}

export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  function follow(event: MouseEvent<HTMLAnchorElement>) {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
  }
  return <a href={href} onClick={follow} {...rest} />;
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener("popstate", update);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener("popstate", update);
  };
}

function update(): void {
  place = readPlace();
  for (const listener of listeners) listener();
}

function readPlace(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}
