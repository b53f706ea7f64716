import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readBytes } from '../base/jsonFile.js';
import { connectionsOf } from './brokerConfig.js';
import { BrokerFileError, parseBrokerFile, type Broker } from './brokerFile.js';
import type { CliContext } from './cliContext.js';

const largestFileBytes = 16 * 1024 * 1024;
/** The brokers are real, so the configuration names the place of the vendor's library. */
const vendorLibrary = 'libs/vendor/thostmduserapi_se.so';

function bytesOf(path: string): Buffer {
  try {
    return readBytes(path, largestFileBytes);
  } catch (error) {
    throw new BrokerFileError((error as Error).message, { cause: error });
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * Turns a broker.xml into a configuration, written to `output`, which must be a new file, or printed. Warnings and a summary go to the error
 * output. Returns the exit code: 0, or 1 with one line that says why.
 */
export function importBrokers(
  source: string,
  output: string | undefined,
  { out, err, cwd }: CliContext,
): number {
  const say = (text: string): void => err(`qactpmdgateway: ${text}\n`);
  let brokers: Broker[];
  try {
    brokers = parseBrokerFile(bytesOf(resolve(cwd, source)), (text) => say(`${source}: ${text}`));
  } catch (error) {
    if (!(error instanceof BrokerFileError)) throw error;
    say(`${source}: ${error.message}`);
    return 1;
  }
  const connections = connectionsOf(brokers, (text) => say(`${source}: ${text}`));
  if (connections.length === 0) {
    say(`${source}: no broker has a market-data address`);
    return 1;
  }
  const content = `${JSON.stringify({ ctp_library: vendorLibrary, connections }, null, 2)}\n`;
  if (output === undefined) out(content);
  else {
    try {
      writeFileSync(resolve(cwd, output), content, { flag: 'wx' });
    } catch (error) {
      const { code = 'unknown cause' } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') say(`${output}: is there already and is left as it is; give another name`);
      else say(`${output}: cannot be written (${code})`);
      return 1;
    }
  }
  const fronts = connections.reduce((sum, connection) => sum + connection.front_addr.length, 0);
  say(
    `${source}: ${counted(connections.length, 'connection')} with ${counted(fronts, 'front')}${output === undefined ? '' : ` written to ${output}`}`,
  );
  return 0;
}
