/**
 * The keys of an ins_list such as `SHFE.rb2512, cu2512,,`: without the blanks around them, without empty parts, each
 * once, in the order of their first mention.
 */
export function parseInsList(insList: string): string[] {
  const keys = new Set<string>();
  for (const part of insList.split(',')) {
    const key = part.trim();
    if (key !== '') keys.add(key);
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
