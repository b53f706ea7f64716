const longestShown = 80;
const secretName = /pass|pwd|pswd|(?<![a-z])pw(?![a-z])|secret|token|auth|cred|key/i;

/** A value as an error line shows it: short, on one line, lists and objects only by their kind. */
export function displayValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  // JSON text may have 1e400, which JSON cannot write.
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number beyond 1.8e308';
  const written = JSON.stringify(value).replace(/\/\/[^/@"]*@/g, '//***@');
  return written.length <= longestShown
    ? written
    : `${written.slice(0, longestShown)}… (${written.length} characters)`;
}

/** True when a key's name says that its value is better not shown. */
export function namesSecret(key: string): boolean {
  return secretName.test(key);
}
