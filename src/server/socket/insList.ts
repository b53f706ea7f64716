/** Parts of a list that are looked at in one step. */
const partsPerStep = 2048;

/**
 * The keys of an ins_list such as `SHFE.rb2512, cu2512,,`: without the blanks around them, without empty parts, each
 * once, in the order of their first mention.
 */
export function parseInsList(insList: string): string[] {
  const steps = parseLongInsList(insList);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Parses a long `ins_list` in steps, with a `yield` after each. */
export function* parseLongInsList(insList: string): Generator<undefined, string[]> {
  const keys = new Set<string>();
  let parts = 0;
  for (let from = 0; from <= insList.length;) {
    const comma = insList.indexOf(',', from);
    const to = comma < 0 ? insList.length : comma;
    const key = insList.slice(from, to).trim();
    if (key !== '') keys.add(key);
    from = to + 1;
    if (++parts % partsPerStep === 0) yield;
  }
  return [...keys];
}

/** Characters that any list may have, whatever is in it. */
const spareChars = 4096;

/**
 * Most characters of a list with these keys. Each frame that a client gets repeats its list, so blanks and repetitions,
 * of which some are taken, cost the gateway more than the client.
 */
export function longestInsList(keys: readonly string[]): number {
  return spareChars + 2 * keys.reduce((sum, key) => sum + key.length + 1, 0);
}
