import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { connectionOptions, gatewayOptions } from '../../src/config/options.js';
import { renderConnectionOptions, renderGatewayOptions } from '../../src/config/optionTable.js';
import { closest, editDistance } from '../../src/base/spelling.js';

describe('the option tables', () => {
  it('have a row of equal width for every option', () => {
    for (const [text, table] of [
      [renderGatewayOptions(), gatewayOptions],
      [renderConnectionOptions(), connectionOptions],
    ] as const) {
      const [heading, , ...rows] = text.split('\n');
      expect(rows).toHaveLength(Object.keys(table).length);
      for (const row of rows) expect(row.split(' | ').length).toBe(heading!.split(' | ').length);
    }
    expect(renderGatewayOptions()).toContain('| `websocket_port` | `7799` |  | an integer from 0 to 65535 |');
    expect(renderGatewayOptions()).toContain('`QACTPMD_LIMITS_MAX_CLIENTS`');
    expect(renderConnectionOptions()).toContain('| `front_addr` | required |');
  });

  it('stand in docs/configuration.md as the program has them', () => {
    const text = readFileSync(packagePath('docs', 'configuration.md'), 'utf8');
    expect(text).toContain(renderGatewayOptions());
    expect(text).toContain(renderConnectionOptions());
  });

  it('give defaults that their own formats accept', () => {
    for (const option of [...Object.values(gatewayOptions), ...Object.values(connectionOptions)])
      if ('default' in option) expect(option.format.accepts(option.default)).toBe(true);
  });
});

describe('suggestions', () => {
  it('count inserts, deletes, replacements and swaps', () => {
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('port', 'prot')).toBe(1);
    expect(editDistance('port', 'sport')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('name the nearest of the known and nothing far away', () => {
    expect(closest('Redis_Hots', ['redis_port', 'redis_host'])).toBe('redis_host');
    expect(closest('completely_other', ['redis_port', 'redis_host'])).toBeUndefined();
  });
});
