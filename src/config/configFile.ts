import { resolve } from 'node:path';
import { readJsonFile } from '../base/jsonFile.js';
import { ConfigError } from './configError.js';
import { isRecord } from './record.js';
import { displayValue } from './displayValue.js';

function fail(path: string, reason: string): never {
  throw new ConfigError([{ source: 'file', text: `${path}: ${reason}` }]);
}

/** Reads a configuration file. Throws a ConfigError that names the file and, for bad JSON, line and column. */
export function readConfigFile(path: string, cwd: string): Readonly<Record<string, unknown>> {
  let content: unknown;
  try {
    content = readJsonFile(resolve(cwd, path));
  } catch (error) {
    fail(path, (error as Error).message);
  }
  if (!isRecord(content)) fail(path, `must hold one JSON object, not ${displayValue(content)}`);
  return content;
}
