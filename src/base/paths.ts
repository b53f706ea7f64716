import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findPackageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error('package.json not found above the program: the installation is incomplete');
    folder = parent;
  }
  return folder;
}

let root: string | undefined;

/** Absolute path of a file that ships with the package, given relative to package.json. */
export function packagePath(...parts: string[]): string {
  root ??= findPackageRoot();
  return join(root, ...parts);
}

/** The program's version, from package.json. */
export function programVersion(): string {
  return (JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version: string }).version;
}
