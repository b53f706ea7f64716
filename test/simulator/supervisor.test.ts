import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { SimulatorSupervisor } from '../../src/simulator/supervisor.js';
import { temporaryFolder } from '../config/sources.js';
import { freePorts } from '../e2e/ports.js';
import { until } from '../helpers/until.js';

it('fronts that start again have the products that the gateway was started with', async () => {
  const productsFile = join(temporaryFolder(), 'products.json');
  const added = { product: 'xy', exchange: 'DCE', volume_multiple: 5, price_tick: 0.5 };
  writeFileSync(productsFile, JSON.stringify([added]));
  let log = '';
  const into = new Writable({
    write: (line: Buffer, _, done) => {
      log += line.toString();
      done();
    },
  });
  const basePort = await freePorts(1);
  const options = { fronts: 1, basePort, rate: 1, seed: 1, productsFile };
  const supervisor = new SimulatorSupervisor(options, pino(into));
  onTestFinished(() => supervisor.stop());
  await supervisor.start(new AbortController().signal);
  writeFileSync(productsFile, '[{');
  process.kill(supervisor.pid!, 'SIGKILL');
  await until(
    () => `fronts that listen again: ${log}`,
    () => log.match(/simulated fronts are listening/g)?.length === 2,
  );
  expect(log.match(/starting them again/g)).toHaveLength(1);
});
