import { getPriority, setPriority } from 'node:os';
import koffi, { type KoffiFunc } from 'koffi';

const niceness = 10;
/** Slices of the system's scheduler, in ns: the shortest one that there is, and one that is longer than anybody's. */
const shortSlice = 100_000n;
const longSlice = 10_000_000n;

/** Number of sched_setattr(2) on x86-64; glibc has no function for it before 2.41. */
const schedSetattr = 314;
/** Size and places of what it takes, in its first version: u32 size, policy, u64 flags, i32 nice, u32 priority, u64 runtime. */
const attributes = { bytes: 48, size: 0, flags: 8, nice: 16, runtime: 24 } as const;
/** A flag of it: real-time, batch and idle threads stay what anyone who started the gateway made them (SCHED_FLAG_KEEP_POLICY). */
const keepPolicy = 0x08n;

type Syscall = KoffiFunc<(number: number, pid: number, attributes: Buffer, flags: number) => number>;

/**
 * Threads that ticks go through run as soon as they have something to do: a thread that wakes takes the core of one that
 * has a longer slice at once, where it otherwise waits for the end of that slice or for the scheduler's next look, up to 4
 * ms. It is no larger share of the machine. To be called in the main thread before there are others: threads and
 * processes that are begun inherit it.
 *
 * Linux has slices of one's own since 6.12, for everybody; older ones ignore them.
 */
export function useShortSlices(): void {
  setSlice(shortSlice);
}

/**
 * The thread that calls it lets others go first on a busy machine: it is one that nobody waits for, and that keeps up all
 * the same. It runs for long where it runs, and is interrupted by those that answer at once.
 */
export function runInBackground(): void {
  try {
    // On Linux that is about the calling thread.
    if (getPriority() < niceness) setPriority(niceness);
  } catch {
    // A sandbox may forbid it.
  }
  setSlice(longSlice);
}

/** Without effect where a sandbox forbids it: things are just slower then. */
function setSlice(ns: bigint): void {
  const wanted = Buffer.alloc(attributes.bytes);
  wanted.writeUInt32LE(attributes.bytes, attributes.size);
  wanted.writeBigUInt64LE(keepPolicy, attributes.flags);
  wanted.writeInt32LE(getPriority(), attributes.nice);
  wanted.writeBigUInt64LE(ns, attributes.runtime);
  const syscall = koffi
    .load('libc.so.6')
    .func('long syscall(long number, long pid, void *attributes, unsigned long flags)') as Syscall;
  syscall(schedSetattr, 0, wanted, 0);
}
