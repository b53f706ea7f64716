import { readFileSync, readdirSync } from 'node:fs';

/** Clock ticks per second in /proc; 100 on every Linux that Node runs on. */
const clockTicksPerS = 100;
const kibPerMb = 1024;

/** CPU time that a process has used since its start, in s. */
export interface CpuTime {
  readonly all: number;
  /** Of its main thread alone. */
  readonly main: number;
}

/** utime + stime of a stat file, in s. */
function cpuOf(statFile: string): number {
  const stat = readFileSync(statFile, 'utf8');
  // The name before it is in parentheses and may hold blanks; utime is the 14th field, so the 12th after the name.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / clockTicksPerS;
}

/** Throws when the process has ended. */
export function cpuTime(pid: number): CpuTime {
  return { all: cpuOf(`/proc/${pid}/stat`), main: cpuOf(`/proc/${pid}/task/${pid}/stat`) };
}

/** Resident memory of a process in MB: now, and the most so far. Shared memory that it has touched counts. */
export function residentMb(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { now: kib('VmRSS') / kibPerMb, most: kib('VmHWM') / kibPerMb };
}

export function threadCount(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).length;
}

/** CPU use between two looks, in % of one core. */
export function cpuPct(before: number, after: number, seconds: number): number {
  return (100 * (after - before)) / seconds;
}
