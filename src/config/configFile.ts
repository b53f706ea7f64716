import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from './configError.js';
import { parseJsonText } from './jsonText.js';
import { isRecord } from './record.js';
import { shown } from './shown.js';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder, not a file',
};

function fail(path: string, reason: string): never {
  throw new ConfigError([{ source: 'file', text: `${path}: ${reason}` }]);
}

/** Reads a configuration file. Throws a ConfigError that names the file and, for bad JSON, line and column. */
export function readConfigFile(path: string, cwd: string): Readonly<Record<string, unknown>> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(resolve(cwd, path));
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    fail(path, reasons[code] ?? `cannot be read (${code})`);
  }
  let content: unknown;
  try {
    content = parseJsonText(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof TypeError) fail(path, 'is not UTF-8 text');
    fail(path, (error as Error).message);
  }
  if (!isRecord(content)) fail(path, `must hold one JSON object, not ${shown(content)}`);
  return content;
}
