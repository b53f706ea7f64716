import { until } from '../helpers/until.js';
import { freePorts } from '../e2e/ports.js';
import { startRedis, type RedisServer } from './redisServer.js';
import { clientOf } from './running.js';

/** Three masters that share the slots. */
export async function startCluster(): Promise<RedisServer[]> {
  const base = await freePorts(3);
  const bus = await freePorts(3);
  const nodes: RedisServer[] = [];
  for (let i = 0; i < 3; i++) {
    const options = [
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      `${bus + i}`,
      '--cluster-node-timeout',
      '1000',
    ];
    nodes.push(await startRedis(base + i, ...options));
  }
  const bounds = [0, 5462, 10_923, 16_384];
  for (const [i, { port }] of nodes.entries()) {
    const client = clientOf(port);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', bounds[i]!, bounds[i + 1]! - 1);
    if (i > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', base, bus);
  }
  for (const { port } of nodes)
    await until('the cluster to be complete', async () =>
      String(await clientOf(port).call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
  return nodes;
}
