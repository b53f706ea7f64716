/**
 * Fills the tables of README.md that are made from the code: settings, connection settings, error codes.
 *   node docs/fill-readme.js           writes them
 *   node docs/fill-readme.js --check   exits 1 when they are not up to date
 */
import { readFileSync, writeFileSync } from 'node:fs';

const { renderGatewayOptions, renderConnectionOptions } = await import('../dist/src/config/optionTable.js');
const { errorCatalogue } = await import('../dist/src/server/shared/errors.js');

const errorRows = Object.entries(errorCatalogue).map(
  ([code, { side, meaning }]) => `| \`${code}\` | ${side} | ${meaning} |`,
);
const tables = {
  settings: renderGatewayOptions(),
  connections: renderConnectionOptions(),
  errors: ['| Code | Heard on | Meaning |', '| --- | --- | --- |', ...errorRows].join('\n'),
};

const readme = new URL('../README.md', import.meta.url);
const before = readFileSync(readme, 'utf8');
let after = before;
for (const [name, table] of Object.entries(tables)) {
  const place = new RegExp(`(<!-- table: ${name} -->\n)[\\s\\S]*?(\n<!-- end -->)`);
  if (!place.test(after)) throw new Error(`README.md has no place for the table ${name}`);
  after = after.replace(place, (_, start, end) => `${start}${table}${end}`);
}
if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error('README.md: tables are out of date; run npm run docs');
    process.exitCode = 1;
  }
} else {
  writeFileSync(readme, after);
}
