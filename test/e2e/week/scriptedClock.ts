import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtNative } from '../../native/nativeBuild.js';

const scriptBytes = 16;
const indexBytes = 8;

/**
 * A time of day that processes under test have in place of the machine's, see test/native/scripted_clock.cpp. It runs at
 * the pace of the machine from where it was set.
 */
export class ScriptedClock {
  /** What makes a process live by this clock. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #file: number;
  #current = 1;

  /** @param startMs the present time by this clock, ms since the epoch */
  constructor(startMs: number) {
    this.#folder = mkdtempSync(join(tmpdir(), 'qactpmd-clock-'));
    const path = join(this.#folder, 'clock');
    this.#file = openSync(path, 'w');
    this.set(startMs);
    this.env = { LD_PRELOAD: builtNative('scripted_clock'), QACTPMD_TEST_CLOCK: path };
  }

  /** It is `nowMs`, and time continues from there. */
  set(nowMs: number): void {
    const next = 1 - this.#current;
    const script = Buffer.alloc(scriptBytes);
    script.writeBigInt64LE(process.hrtime.bigint(), 0);
    script.writeDoubleLE(nowMs, 8);
    writeSync(this.#file, script, 0, scriptBytes, indexBytes + next * scriptBytes);
    const index = Buffer.alloc(indexBytes);
    index.writeBigInt64LE(BigInt(next));
    writeSync(this.#file, index, 0, indexBytes, 0);
    this.#current = next;
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
