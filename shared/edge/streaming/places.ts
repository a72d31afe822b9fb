/** A few places for each caller, for work that lasts as long as the caller likes. */
export interface Places {
  /**
   * Takes a place, without waiting for one.
   *
   * @returns the call that leaves the place, which can be repeated, or `undefined` if all of the caller's places are taken
   */
  take(caller: string): (() => void) | undefined;
}

/** Places in this process. Other processes have their own. */
export function createPlaces(max: number): Places {
  const taken = new Map<string, number>();
  return {
    take(caller) {
      const count = taken.get(caller) ?? 0;
      if (count >= max) return undefined;
      taken.set(caller, count + 1);
      let isLeft = false;
      return () => {
        if (isLeft) return;
        isLeft = true;
        const rest = (taken.get(caller) ?? 1) - 1;
        if (rest > 0) taken.set(caller, rest);
        else taken.delete(caller);
      };
    },
  };
}
