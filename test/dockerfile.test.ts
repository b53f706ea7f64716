import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packagePath } from '../src/base/paths.js';
import { chooseUws } from '../src/server/uws/uws.js';
import { temporaryFolder } from './config/sources.js';

const dockerfile = readFileSync(packagePath('Dockerfile'), 'utf8');
const packages = ['@btc-vision/uwebsockets.js', '@trufflesuite/uws-js-unofficial'];

describe('the image', () => {
  it('keeps of uWebSockets.js the build that its Node loads, and no other', () => {
    const [, command] = /^RUN (find node_modules .*)$/m.exec(dockerfile) ?? [];
    expect(command).toBeDefined();
    const folder = temporaryFolder();
    // As links: they have 200 MB.
    for (const name of packages) {
      const to = join(folder, 'node_modules', name);
      mkdirSync(join(to, '..'), { recursive: true });
      execFileSync('cp', ['-rs', packagePath('node_modules', name), to]);
    }
    execFileSync('sh', ['-c', command!], { cwd: folder });
    const kept = (readdirSync(folder, { recursive: true }) as string[]).filter((name) =>
      name.endsWith('.node'),
    );
    const { modules } = process.versions;
    expect(kept.length).toBeGreaterThan(0);
    for (const name of kept) expect(name).toMatch(new RegExp(`/uws_linux_x64_${modules}\\.node$`));
    const machine = { platform: 'linux', arch: 'x64', nodeAbi: modules, nodeVersion: process.version };
    const find = (name: string, file: string): string | undefined => {
      const path = join(folder, 'node_modules', name, file);
      return existsSync(path) ? path : undefined;
    };
    const choice = chooseUws({ ...machine, glibc: '2.41' }, find);
    expect(choice).toMatchObject({ file: expect.stringContaining(folder) as unknown });
  });

  it('has a use for each volume that the compose file mounts', () => {
    const compose = readFileSync(packagePath('docker-compose.yml'), 'utf8');
    expect(compose).toContain('- logs:/app/logs');
    expect(dockerfile).toMatch(/ENTRYPOINT \[.*"--report-on-fatalerror".*"--report-directory=logs"/);
  });
});
