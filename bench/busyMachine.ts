import { availableParallelism, loadavg } from 'node:os';

/** Load per core from which on other programs take a noticeable share of what is measured. */
const busyLoad = 0.5;

/** What is to be known of a machine on which other programs run; undefined on a quiet one. */
export function busyNote(
  load: number = loadavg()[0]!,
  cores: number = availableParallelism(),
): string | undefined {
  if (load < busyLoad * cores) return undefined;
  return `the machine is busy with other programs (load ${load.toFixed(1)} on ${cores} cores): absolute figures are worse than on a quiet one, and steps may time out; only ratios count`;
}
