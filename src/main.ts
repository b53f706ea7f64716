#!/usr/bin/env node
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';

// Ticks wait while the young generation is collected: some ms where it has grown to V8's 16 MB, under 2 ms at the 1 MB that
// it begins with. Threads state their own sizes.
setFlagsFromString('--semi-space-growth-factor=1');

// The handlers come before any other module is loaded, so that a signal during start-up ends the program cleanly
// too. A terminal's Ctrl-C reaches the process twice under npm: what follows the first signal changes nothing.
const shutdown = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => shutdown.abort(signal));
// A signal to reload the configuration; without a handler it would end the process.
const hangups = new EventTarget();
process.on('SIGHUP', () => hangups.dispatchEvent(new Event('SIGHUP')));
const terminals = [0, 1, 2].filter((fd) => isatty(fd));

const { runProgram } = await import('./app/program.js');
const exitCode = await runProgram(process.argv.slice(2), process.env, shutdown.signal, hangups);
// A terminal may be gone by now, and Node would abort when it puts it back as it was. What takes the place of standard
// output meanwhile is no terminal either, but no device.
if (terminals.some((fd) => fstatSync(fd).isCharacterDevice() && !isatty(fd))) {
  const { endProcess } = await import('./coordinator/workers/workerPool.js');
  endProcess(exitCode);
}
// An explicit exit: the vendor's library leaves threads behind that must not keep the process.
process.exit(exitCode);
