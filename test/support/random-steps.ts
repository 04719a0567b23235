/** Throws with what is broken; cheaper than `expect`, a million times. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** The bits of a number, taken from the lowest: a random number says what a random step is. */
export function bitsOf(number: number): (count: number) => number {
  let rest = number;
  return (count) => {
    const taken = rest % count;
    rest = Math.floor(rest / count);
    return taken;
  };
}
