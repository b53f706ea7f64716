import { describe, expect, it, onTestFinished } from 'vitest';
import { StreamPage } from '../../src/history/streamPage.js';
import { argumentBytes, CommandBytes } from '../../src/redis/commandBytes.js';
import { RedisNode, UnknownOutcome } from '../../src/redis/redisNode.js';
import { until } from '../helpers/until.js';
import { greeting, reply, startOddPeer, type Answer } from '../storage/oddPeer.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from '../storage/redisServer.js';

function bytesOf(...words: readonly string[]): CommandBytes {
  const commands = new CommandBytes();
  commands.command(words.length);
  for (const word of words) commands.ready(argumentBytes(word));
  return commands;
}

function range(key: string, count: number): Uint8Array {
  return bytesOf('XRANGE', key, '-', '+', 'COUNT', String(count)).bytes;
}

/** A server that answers XRANGE with these bytes. */
function odd(bytes: string): Answer {
  return (words) => greeting(words) ?? (words[0] === 'XRANGE' ? bytes : '+OK\r\n');
}

async function connect(port: number): Promise<{ node: RedisNode; downs: string[] }> {
  const downs: string[] = [];
  const node = new RedisNode(
    { host: '127.0.0.1', port },
    { onUp: () => undefined, onDown: (cause) => downs.push(cause) },
  );
  onTestFinished(() => node.close());
  await until('the connection', () => (node.isReady ? true : undefined));
  return { node, downs };
}

describe('answers that are read off the socket', () => {
  it('are kept apart from those of commands before, between and after them', async () => {
    const redis = await startRedis(await freePort());
    const { node } = await connect(redis.port);
    const entries = 300;
    for (let i = 1; i <= entries; i++) await node.run([['XADD', 's', `${i}-0`, 'tick', `0,${i}`]]);
    const rounds = Array.from({ length: 40 }, async (_, round) => {
      const [echo] = await node.run([['ECHO', `a${round}`]]);
      expect(echo).toEqual({ value: `a${round}` });
      const page = new StreamPage(entries);
      const count = 1 + ((round * 37) % entries);
      const [, [sent]] = await Promise.all([
        node.read(range('s', count), page),
        node.send(bytesOf('ECHO', `b${round}`)),
      ]);
      expect(page.count).toBe(count);
      expect(page.idOf(count - 1)).toBe(`${count}-0`);
      expect(String(sent)).toBe(`b${round}`);
    });
    await Promise.all(rounds);
    const page = new StreamPage(1);
    await node.run([['SET', 'text', '1']]);
    await node.read(range('text', 1), page);
    expect(page.refusal?.message).toMatch(/^WRONGTYPE /);
    expect(await node.run([['GET', 'text']])).toEqual([{ value: '1' }]);
  });

  it('are unknown where the server ends during one; those that wait fail as well, later ones come again', async () => {
    const whole = reply([['1-0', ['tick', '0,1']]]);
    const peer = await startOddPeer(odd(whole.slice(0, 12)));
    const { node, downs } = await connect(peer.port);
    const page = new StreamPage(1);
    const reading = node.read(range('s', 1), page);
    const waiting = node.run([['ECHO', 'x']]);
    const outcomes = Promise.allSettled([reading, waiting]);
    await until('half an answer', () => peer.asked.get('XRANGE'));
    await peer.close();
    for (const { status, reason } of (await outcomes) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected');
      expect(reason).toBeInstanceOf(UnknownOutcome);
    }
    await until('the end of the connection to be told', () => downs.length || undefined);
    const again = await startOddPeer(odd(whole), peer.port);
    await until('the next connection', () => (node.isReady ? true : undefined));
    page.clear();
    await node.read(range('s', 1), page);
    expect(page.idOf(0)).toBe('1-0');
    expect(again.asked.get('XRANGE')).toBe(1);
  });

  it('that make no sense are refused by what they are, and the connection is made again', async () => {
    const sense = reply([['1-0', ['tick', '0,1']]]);
    const peer = await startOddPeer(odd('+QUEUED\r\n'));
    const { node, downs } = await connect(peer.port);
    const page = new StreamPage(1);
    await expect(node.read(range('s', 1), page)).rejects.toThrow('it answers XRANGE with "+QUEUED\\r\\n"');
    peer.answer = odd(sense);
    await until('the end of the connection', () => downs[0]);
    await until('the next connection', () => (node.isReady ? true : undefined));
    expect(downs).toEqual(['it answers XRANGE with "+QUEUED\\r\\n"']);
    page.clear();
    await node.read(range('s', 1), page);
    expect(page.count).toBe(1);
  });
});
