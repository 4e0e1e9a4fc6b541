import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** How near to the end counts as being there. */
const NEAR = 96;

/**
 * Keeps the end of a growing text in view, but only for a reader who is at its end. What comes last, figures or an
 * error, is part of it.
 */
export function useFollow(end: RefObject<HTMLElement | null>, growing: boolean, length: number) {
  const [away, setAway] = useState(false);
  const following = useRef(true);
  const grew = useRef(growing);

  useEffect(() => {
    if (!growing) return undefined;
    function look(): void {
      const bottom = end.current?.getBoundingClientRect().bottom ?? 0;
      following.current = bottom <= innerHeight + NEAR;
      setAway(!following.current);
    }
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [growing, end]);

  useLayoutEffect(() => {
    const follow = following.current && (growing || grew.current);
    grew.current = growing;
    if (follow && length > 0) end.current?.scrollIntoView({ block: "nearest" });
  }, [growing, length, end]);

  const toEnd = useCallback(() => {
    following.current = true;
    setAway(false);
    end.current?.scrollIntoView({ block: "nearest" });
  }, [end]);
  return { away, toEnd };
}
