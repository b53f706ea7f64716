#!/usr/bin/env node
// The handlers come before any other module is loaded, so that a signal during start-up ends the program cleanly
// too. A terminal's Ctrl-C reaches the process twice under npm: what follows the first signal changes nothing.
const shutdown = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => shutdown.abort(signal));
// A signal to read the configuration anew; without a handler it would end the process.
const hangups = new EventTarget();
process.on('SIGHUP', () => hangups.dispatchEvent(new Event('SIGHUP')));

const { runProgram } = await import('./program.js');
// An explicit exit: the vendor's library leaves threads behind that must not keep the process.
process.exit(await runProgram(process.argv.slice(2), process.env, shutdown.signal, hangups));

export {};
