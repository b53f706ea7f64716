import { readdirSync } from 'node:fs';
import { ESLint } from 'eslint';
import { expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { floors } from '../../eslint.config.js';

const root = packagePath();
// Where CI is set the parser would take a module's text from its file, whatever it is given.
process.env['TSESTREE_SINGLE_RUN'] = 'false';

/** Folders with modules in them, such as src/market/quotes. */
function foldersIn(folder: string): string[] {
  const entries = readdirSync(packagePath(...folder.split('/')), { withFileTypes: true });
  const below = entries.flatMap((each) => (each.isDirectory() ? foldersIn(`${folder}/${each.name}`) : []));
  return entries.some((each) => each.name.endsWith('.ts')) ? [folder, ...below] : below;
}

/** What lint says of a module with this text, by rule. */
async function faultsOf(path: string, text: string): Promise<string[]> {
  const [result] = await new ESLint({ cwd: root }).lintText(text, {
    filePath: packagePath(...path.split('/')),
  });
  return result!.messages.map(({ ruleId }) => String(ruleId));
}

it('every folder of the sources has its floor, and main.ts alone lies above them', () => {
  expect(floors.flat().toSorted()).toEqual([...foldersIn('src'), ...foldersIn('workers')].toSorted());
  const loose = readdirSync(packagePath('src'), { withFileTypes: true }).filter((each) => each.isFile());
  expect(loose.map(({ name }) => name)).toEqual(['main.ts']);
});

it.each([
  ['src/market/quotes/rejections.ts', '../../server/shared/errors.js', 'ErrorCode'],
  ['src/market/instruments/pinyin.ts', '../quotes/exchangeClock.js', 'TickTime'],
  ['src/base/heap.ts', '../ring/tickSource.js', 'TickSink'],
  ['src/server/fairness/fairQueue.ts', '../socket/aidBoard.js', 'AidClient'],
  ['src/coordinator/connections.ts', '../ctp/bridge.js', 'BridgeEvent'],
  ['src/tickText/tickText.ts', '../config/options.js', 'Option'],
])('lint refuses an import that runs up, or across: %s of %s', async (path, module, name) => {
  const text = `import type { ${name} } from '${module}';\nexport type Again = ${name};\n`;
  expect(await faultsOf(path, text)).toContain('no-restricted-imports');
});

it.each([
  ['at once', 'src/ring/tickRecord.ts', './tickRing.js', 'TickReader'],
  ['by way of another', 'src/market/quotes/quoteFields.ts', './quoteBook.js', 'QuoteBook'],
])('lint refuses modules that import each other %s, if only for types', async (_how, path, module, name) => {
  const text = `import type { ${name} } from '${module}';\nexport type Again = ${name};\n`;
  expect(await faultsOf(path, text)).toContain('house/no-circle');
});

it('lint refuses a switch that leaves a case out', async () => {
  const text = `export function show(which: 'a' | 'b'): number {
  switch (which) {
    case 'a':
      return 1;
  }
  return 2;
}
`;
  expect(await faultsOf('src/base/heap.ts', text)).toContain(
    '@typescript-eslint/switch-exhaustiveness-check',
  );
});

it.each([
  "log.warn('nothing to alert on');",
  "options.logger.error({ err: 1 }, 'nothing to alert on');",
  "limitedLog.write('source', 'warn', {}, 'nothing to alert on');",
])('lint refuses a warning or an error that names no event: %s', async (line) => {
  const text = `export function tell(log: Log, options: Options, limitedLog: Limited): void {\n  ${line}\n}\n`;
  expect(await faultsOf('src/app/slotKeeper.ts', text)).toContain('no-restricted-syntax');
});
