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
