import { describe, expect, it, vi } from 'vitest';
import { chooseUws, loadUws, thisMachine, type FindFile, type Machine } from '../../src/server/uws/uws.js';

const debian13: Machine = {
  platform: 'linux',
  arch: 'x64',
  nodeAbi: '137',
  nodeVersion: '24.1.0',
  glibc: '2.41',
};
const bundled: FindFile = (packageName, file) =>
  packageName === 'uWebSockets.js' ? undefined : `/modules/${packageName}/${file}`;
const refusal = (machine: Partial<Machine>, findFile = bundled): string => {
  const choice = chooseUws({ ...debian13, ...machine }, findFile);
  if ('refusal' in choice) return choice.refusal;
  throw new Error(`not refused: ${choice.file}`);
};

describe('the choice of a uWebSockets.js build', () => {
  it.each(['115', '127', '137'])('takes the current build for Node ABI %s on glibc 2.38', (nodeAbi) => {
    expect(chooseUws({ ...debian13, nodeAbi, glibc: '2.38' }, bundled)).toEqual({
      packageName: '@btc-vision/uwebsockets.js',
      file: `/modules/@btc-vision/uwebsockets.js/uws_linux_x64_${nodeAbi}.node`,
    });
  });

  it.each(['2.34', '2.36', '2.37'])('takes the older build for Node 20 on glibc %s', (glibc) => {
    expect(chooseUws({ ...debian13, nodeAbi: '115', glibc }, bundled)).toEqual({
      packageName: '@trufflesuite/uws-js-unofficial',
      file: '/modules/@trufflesuite/uws-js-unofficial/binaries/uws_linux_x64_115.node',
    });
  });

  it('compares glibc versions as numbers', () => {
    expect(refusal({ glibc: '2.4' })).toContain('glibc 2.4 is too old');
    expect(chooseUws({ ...debian13, glibc: '3.0' }, bundled)).toHaveProperty('file');
  });

  it('prefers an installed official package that has a file for this Node', () => {
    const official: FindFile = (packageName, file) => `/modules/${packageName}/${file}`;
    expect(chooseUws({ ...debian13, glibc: '2.36' }, official)).toEqual({
      packageName: 'uWebSockets.js',
      file: '/modules/uWebSockets.js/uws_linux_x64_137.node',
    });
  });

  it('refuses other platforms, C libraries and versions in one line that says what to do', () => {
    expect(refusal({ platform: 'darwin', arch: 'arm64' })).toBe(
      'this machine is darwin arm64: run the gateway on Linux x64, or in its container',
    );
    expect(refusal({ arch: 'arm64' })).toContain('linux arm64');
    expect(refusal({ glibc: undefined })).toContain('does not use glibc');
    expect(refusal({ glibc: '2.31' })).toContain(
      'glibc 2.31 is too old: use a system with glibc 2.34 or newer',
    );
    expect(refusal({ nodeAbi: '108', nodeVersion: '18.20.0' })).toBe(
      'Node 18.20.0 is not supported: install Node 20, 22 or 24',
    );
    expect(refusal({ nodeAbi: '127', nodeVersion: '22.2.0', glibc: '2.36' })).toContain(
      'Node 22.2.0 needs glibc 2.38 and this system has 2.36: use Node 20 here',
    );
    expect(refusal({}, () => undefined)).toContain('not completely installed: run npm ci');
  });

  it('loads the native module on this machine', () => {
    expect(thisMachine().platform).toBe('linux');
    expect(loadUws().LIBUS_LISTEN_EXCLUSIVE_PORT).toBe(1);
  });

  it('is found without a look at the network', () => {
    const reporter = process.report as typeof process.report & { excludeNetwork?: boolean };
    const seen: unknown[] = [];
    const getReport = vi.spyOn(reporter, 'getReport').mockImplementation(() => {
      seen.push(reporter.excludeNetwork);
      return { header: { glibcVersionRuntime: '2.39' } };
    });
    expect(thisMachine().glibc).toBe('2.39');
    getReport.mockRestore();
    expect(seen).toEqual([true]);
    expect(reporter.excludeNetwork).toBe(false);
  });
});
