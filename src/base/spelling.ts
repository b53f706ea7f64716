/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = last[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let best = Math.min(last[column]! + 1, current[column - 1]! + 1, replaced);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        best = Math.min(best, beforeLast[column - 2]! + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}

/** The known name that `given` is most likely a misspelling of, or undefined when none is near. */
export function closest(
  given: string,
  known: Iterable<string>,
  farthest = 1 + given.length / 4,
): string | undefined {
  const wanted = given.toLowerCase().replaceAll('-', '_').slice(0, 100);
  let best: string | undefined;
  let bestDistance = farthest;
  for (const name of known) {
    const distance = editDistance(wanted, name.toLowerCase());
    if (distance > bestDistance || (distance === bestDistance && best !== undefined)) continue;
    best = name;
    bestDistance = distance;
  }
  return best;
}
