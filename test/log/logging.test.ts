import { Writable } from 'node:stream';
import pretty from 'pino-pretty';
import { describe, expect, it } from 'vitest';
import type { Logger } from 'pino';
import { createLogger, terminalLines } from '../../src/log/logging.js';

function logged(level: Parameters<typeof createLogger>[0]): {
  logger: Logger;
  lines: () => Record<string, unknown>[];
} {
  const pieces: string[] = [];
  const destination = new Writable({
    write(piece: Buffer, _encoding, done) {
      pieces.push(piece.toString());
      done();
    },
  });
  return {
    logger: createLogger(level, destination),
    lines: () =>
      pieces
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('on a terminal', () => {
  it('every message is one line, without the members that it says itself', () => {
    let written = '';
    const destination = new Writable({
      write(piece: Buffer, _encoding, done) {
        written += piece.toString();
        done();
      },
    });
    const logger = createLogger('info', pretty({ ...terminalLines, colorize: false, destination }));
    logger.info({ connection: 'one', state: 'logged_in' }, 'one: logged_in');
    logger.info({ host: '0.0.0.0', port: 7799 }, 'listening');
    expect(written.split('\n')).toEqual([
      expect.stringMatching(/ INFO: one: logged_in$/),
      expect.stringMatching(/ INFO: listening \{"host":"0\.0\.0\.0","port":7799\}$/),
      '',
    ]);
  });
});

describe('createLogger', () => {
  it('writes one JSON object a line, with the level by name and an ISO time', () => {
    const { logger, lines } = logged('info');
    logger.debug('unseen');
    logger.warn({ port: 7799 }, 'seen');
    expect(lines()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        port: 7799,
        msg: 'seen',
      },
    ]);
  });

  it('changes its level at run time', () => {
    const { logger, lines } = logged('error');
    logger.info('unseen');
    logger.level = 'debug';
    logger.debug('seen');
    expect(lines().map((line) => line['msg'])).toEqual(['seen']);
  });

  it('hides passwords at every depth that the configuration has', () => {
    const { logger, lines } = logged('info');
    const connection = { connectionId: 'a', password: 'hunter2' };
    logger.info(connection, 'one');
    logger.info(
      { config: { redisPassword: 'hunter2', connections: [connection] }, redis_password: 'hunter2' },
      'all',
    );
    logger.info({ spec: connection }, 'spec');
    expect(JSON.stringify(lines())).not.toContain('hunter2');
    expect(JSON.stringify(lines()).match(/\[redacted\]/g)).toHaveLength(5);
  });
});
