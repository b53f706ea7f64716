// Writes ticks to a spill folder where files may not grow past a limit of the shell's: see spillFolder.test.ts.

const { SpillFolder } = await import('../../dist/src/storage/spill/spillFolder.js');

const [path, ticksText, memoryText] = process.argv.slice(2);
const folder = SpillFolder.open(path, 1e9, 'run');
let refused = 0;
for (let n = 0; n < Number(ticksText); n++) {
  if (!folder.append(n, 'SHFE.rb2605', 'y'.repeat(200 + (n % 7)), Number(memoryText))) refused++;
  if (n % 50 === 49) folder.flush();
}
folder.flush();
const error = folder.takeError().message;
const { trouble } = folder;
const kept = [];
for (let lines = folder.read(); lines.length > 0; lines = folder.read())
  kept.push(...lines.map(({ n }) => n));
process.stdout.write(JSON.stringify({ refused, kept, damaged: folder.damaged, error, trouble }));
