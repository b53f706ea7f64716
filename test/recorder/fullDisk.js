// Writes blocks where files may not grow past a limit of the shell's, then without a limit: see blockSink.test.ts.

const { BlockBuilder } = await import('../../dist/src/recorder/blockCodec.js');
const { BlockSink } = await import('../../dist/src/recorder/blockSink.js');
const { RecorderProgress } = await import('../../dist/src/recorder/recorderProgress.js');

const [folder, blocksText] = process.argv.slice(2);
const lines = [];
const progress = new RecorderProgress();
const say = ({ level, text }) => lines.push(`${level} ${text}`);
const sink = new BlockSink({ folder, fileBytes: 1e9 }, say, progress);
const builder = new BlockBuilder(100);
const record = new Int32Array(80);
const blocks = Number(blocksText);
let seed = 1;
let failures = 0;
for (let block = 0; block < blocks; block++) {
  for (let tick = 0; tick < 100; tick++) {
    // Words that deflate cannot shrink.
    for (let word = 4; word < 80; word++) record[word] = seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    record[62] = block * 100 + tick;
    builder.add(record, 'SHFE.rb2605');
  }
  sink.put(builder.finish(), 20261124, block * 1000, { position: 100 * block + 100, missed: 0 });
  if (sink.failure !== '') failures++;
}
sink.close(blocks * 1000);
process.stdout.write(
  JSON.stringify({ lines, failures, ticks: progress.get('ticks'), lost: progress.get('lost') }),
);
