/**
 * Looks for what the tests need beyond Node and installs it with apt-get where it is missing. `npm test` itself
 * installs nothing. Run by `npm run test:setup`.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pythonWith } from './helpers/python.js';

/** What the tests need → Debian's package that brings it, and where it is. */
const needs = [
  { program: 'redis-server', aptPackage: 'redis-server', isThere: () => find('redis-server') },
  {
    program: 'python3 with websockets',
    aptPackage: 'python3-websockets',
    isThere: () => pythonWith('websockets'),
  },
];

/** Debian puts servers into sbin, which is not on every user's PATH. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter(
  (folder) => folder !== '',
);

function find(program) {
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** As root directly, otherwise through sudo where there is one. */
function apt(...args) {
  const asRoot = process.getuid?.() === 0;
  const [command, ...prefix] = asRoot ? ['apt-get'] : ['sudo', 'apt-get'];
  const shown = [command, ...prefix, ...args].join(' ');
  console.log(`test:setup: running ${shown}`);
  const { status, error } = spawnSync(command, [...prefix, ...args], {
    stdio: 'inherit',
    // No service starts by itself: the tests start their own servers on free ports.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  if (error) console.error(`test:setup: ${shown}: ${error.message}`);
  return status === 0;
}

const missing = needs.filter(({ program, isThere }) => {
  const path = isThere();
  console.log(`test:setup: ${program}: ${path ?? 'missing'}`);
  return path === undefined;
});

if (missing.length > 0) {
  const packages = missing.map(({ aptPackage }) => aptPackage);
  if (find('apt-get') === undefined) {
    console.error(`test:setup: there is no apt-get here, install by hand: ${packages.join(' ')}`);
    process.exit(1);
  }
  const installed = apt('update') && apt('install', '-y', '--no-install-recommends', ...packages);
  const absent = missing.filter(({ isThere }) => isThere() === undefined);
  if (!installed || absent.length > 0) {
    console.error(
      `test:setup: still missing: ${absent.map(({ program }) => program).join(' ') || 'nothing, but apt-get failed'}`,
    );
    process.exit(1);
  }
}
console.log('test:setup: everything the tests need is here');
