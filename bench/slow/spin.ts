/** Keeps the thread busy for a while, as slow code would. */
export function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
