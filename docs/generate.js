/**
 * Fills the tables of the documents that are made from the code.
 *   node docs/generate.js           writes them
 *   node docs/generate.js --check   exits 1 when one of them is not up to date
 */
import { readFileSync, writeFileSync } from 'node:fs';

const { renderGatewayOptions, renderConnectionOptions } = await import('../dist/src/config/optionTable.js');
const { errorCatalogue } = await import('../dist/src/server/shared/errors.js');

const { healthMembers } = await import('../dist/src/server/http/healthMembers.js');
const { logEvents } = await import('../dist/src/base/logEvents.js');

const eventRows = Object.entries(logEvents).map(
  ([event, { level, meaning }]) => `| \`${event}\` | ${level} | ${meaning} |`,
);
const errorRows = Object.entries(errorCatalogue).map(
  ([code, { side, meaning }]) => `| \`${code}\` | ${side} | ${meaning} |`,
);

/** By section of /health: what each of its members tells. */
const healthTables = Object.fromEntries(
  Object.entries(healthMembers).map(([section, members]) => [
    section,
    [
      '| member | meaning |',
      '| --- | --- |',
      ...Object.entries(members).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`),
    ].join('\n'),
  ]),
);

/** By document: its tables, each between `<!-- table: name -->` and `<!-- end -->`. */
const documents = {
  'configuration.md': { settings: renderGatewayOptions(), connections: renderConnectionOptions() },
  'protocol.md': { errors: ['| Code | Sent to | Meaning |', '| --- | --- | --- |', ...errorRows].join('\n') },
  'health.md': healthTables,
  'events.md': { events: ['| Event | Level | Meaning |', '| --- | --- | --- |', ...eventRows].join('\n') },
};

for (const [document, tables] of Object.entries(documents)) {
  const file = new URL(document, import.meta.url);
  const before = readFileSync(file, 'utf8');
  let after = before;
  for (const [name, table] of Object.entries(tables)) {
    const place = new RegExp(`(<!-- table: ${name} -->\n)(?:[\\s\\S]*?\n)??(<!-- end -->)`);
    if (!place.test(after)) throw new Error(`docs/${document} has no place for the table ${name}`);
    after = after.replace(place, (_, start, end) => `${start}${table}\n${end}`);
  }
  if (!process.argv.includes('--check')) writeFileSync(file, after);
  else if (after !== before) {
    console.error(`docs/${document}: tables are out of date; run npm run docs`);
    process.exitCode = 1;
  }
}
