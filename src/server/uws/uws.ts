import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Uws } from './uwsApi.js';

/** Facts that decide which build of uWebSockets.js can run here. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** process.versions.modules */
  readonly nodeAbi: string;
  readonly nodeVersion: string;
  /** Undefined where the C library is another one. */
  readonly glibc: string | undefined;
}

interface Build {
  readonly packageName: string;
  /** Folder of the native files in the package. */
  readonly folder: string;
  readonly nodeAbis: readonly string[];
  readonly glibc: string;
}

/** Node 20, 22, 24. */
const supportedAbis = ['115', '127', '137'];
const oldestGlibc = '2.34';

/** The official package is not on the npm registry: it is there only if the operator put it there, so it comes first. */
const officialPackage = 'uWebSockets.js';
const bundledBuilds: readonly Build[] = [
  { packageName: '@btc-vision/uwebsockets.js', folder: '', nodeAbis: supportedAbis, glibc: '2.38' },
  {
    packageName: '@trufflesuite/uws-js-unofficial',
    folder: 'binaries',
    nodeAbis: ['115'],
    glibc: oldestGlibc,
  },
];

/** Finds a file of an installed package; undefined when the package or the file is not there. */
export type FindFile = (packageName: string, file: string) => string | undefined;

export type UwsChoice =
  { readonly packageName: string; readonly file: string } | { readonly refusal: string };

/** Which native file to load on a machine, or one line that says what to do instead. */
export function chooseUws(machine: Machine, findFile: FindFile): UwsChoice {
  const { platform, arch, nodeAbi, nodeVersion, glibc } = machine;
  const refuse = (reason: string, advice: string): UwsChoice => ({ refusal: `${reason}: ${advice}` });
  if (platform !== 'linux' || arch !== 'x64')
    return refuse(`this machine is ${platform} ${arch}`, 'run the gateway on Linux x64, or in its container');
  if (glibc === undefined)
    return refuse(
      'this Linux does not use glibc',
      'run the gateway on Debian or Ubuntu, or in its container',
    );
  if (!supportedAbis.includes(nodeAbi))
    return refuse(`Node ${nodeVersion} is not supported`, 'install Node 20, 22 or 24');
  if (!isAtLeast(glibc, oldestGlibc))
    return refuse(
      `glibc ${glibc} is too old`,
      `use a system with glibc ${oldestGlibc} or newer (Debian 12, Ubuntu 22.04), or the container`,
    );

  const fileName = `uws_${platform}_${arch}_${nodeAbi}.node`;
  const official = findFile(officialPackage, fileName);
  if (official !== undefined) return { packageName: officialPackage, file: official };

  const build = bundledBuilds.find((each) => each.nodeAbis.includes(nodeAbi) && isAtLeast(glibc, each.glibc));
  if (build === undefined)
    return refuse(
      `Node ${nodeVersion} needs glibc 2.38 and this system has ${glibc}`,
      'use Node 20 here, or a newer system (Debian 13, Ubuntu 24.04), or the container',
    );
  const file = findFile(build.packageName, join(build.folder, fileName));
  if (file === undefined)
    return refuse(`the package ${build.packageName} is not completely installed`, 'run npm ci');
  return { packageName: build.packageName, file };
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  // Newer than the declarations. Without it the report asks the name service for every peer, and waits.
  const reporter = process.report as typeof process.report & { excludeNetwork?: boolean };
  const { excludeNetwork = false } = reporter;
  reporter.excludeNetwork = true;
  const report = reporter.getReport() as { header?: { glibcVersionRuntime?: string } };
  reporter.excludeNetwork = excludeNetwork;
  return {
    platform: process.platform,
    arch: process.arch,
    nodeAbi: process.versions.modules,
    nodeVersion: process.versions.node,
    glibc: report.header?.glibcVersionRuntime,
  };
}

/**
 * Loads the native uWebSockets.js for this machine. The file is loaded directly, since one package's JavaScript quietly
 * replaces a native file that does not load by a server in JavaScript.
 * Throws an Error of one line when the machine is not supported or the file does not load.
 */
export function loadUws(): Uws {
  const require = createRequire(import.meta.url);
  const choice = chooseUws(thisMachine(), (packageName, file) =>
    (require.resolve.paths(packageName) ?? [])
      .map((folder) => join(folder, packageName, file))
      .find((path) => existsSync(path)),
  );
  if ('refusal' in choice) throw new Error(choice.refusal);
  try {
    return require(choice.file) as Uws;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${choice.packageName} does not load: ${reason.split('\n')[0]!}: run npm ci, or use the container`,
      { cause },
    );
  }
}

/** Compares dotted version numbers. */
function isAtLeast(version: string, wanted: string): boolean {
  const have = version.split('.').map(Number);
  const want = wanted.split('.').map(Number);
  for (let i = 0; i < want.length; i++) {
    const difference = (have[i] ?? 0) - want[i]!;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
