/**
 * What performance.now() lacks to ms since the epoch as the wall clock has it now, to some µs: performance.timeOrigin
 * is from the process's start, and the wall clock has been adjusted since. Takes up to 2 ms of busy waiting.
 */
export function epochOffsetMs(): number {
  const begun = Date.now();
  let now = begun;
  while (now === begun) now = Date.now();
  return now - performance.now();
}
