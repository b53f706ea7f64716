/**
 * A process of hostile clients on loopback.
 *   node main.js PORT ADDRESS ATTACK
 * Prints `ready`, and begins at its first line of input. Ends with its input, and after two minutes in any case.
 */
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { attacks } from './attacks.js';

const longestMs = 120_000;
const [port, from, name] = process.argv.slice(2);
const attack = attacks[name ?? ''];
if (attack === undefined || !from?.startsWith('127.'))
  throw new Error(`usage: main.js PORT 127.x.y.z ATTACK, with one of ${Object.keys(attacks).join(', ')}`);
// It stands for other machines, so what it takes of this one is not to be what is measured.
setPriority(constants.priority.PRIORITY_LOW);
process.stdin.on('end', () => process.exit(0));
setTimeout(() => process.exit(0), longestMs);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
attack({ port: Number(port), from });
