import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { rmSync } from 'node:fs';
import { ConfigError } from '../../src/config/configError.js';
import type { ConfigArguments } from '../../src/config/arguments.js';
import type { GatewayConfig } from '../../src/config/gatewayConfig.js';
import { loadConfig } from '../../src/config/load.js';

/** A folder of the test's own, removed after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const connection = { connection_id: 'one', front_addr: 'tcp://127.0.0.1:17001' };

export interface Given {
  /** Content of gateway.json: an object, or raw text; null for no file. */
  readonly file?: object | string | null;
  readonly env?: NodeJS.ProcessEnv;
  readonly args?: ConfigArguments;
  readonly cwd?: string;
}

/** Loads a configuration whose file has one connection unless the test says otherwise. */
export function load({ file = {}, env = {}, args = {}, cwd = temporaryFolder() }: Given = {}): GatewayConfig {
  if (file !== null) {
    const content = typeof file === 'string' ? file : JSON.stringify({ connections: [connection], ...file });
    writeFileSync(join(cwd, 'gateway.json'), content);
  }
  return loadConfig({ file: file === null ? undefined : 'gateway.json', env, args, cwd });
}

/** The lines with which loading fails; a test fails when it does not. */
export function problemsOf(given: Given): string[] {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  throw new Error('the configuration was accepted');
}
