import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A Python on the PATH, or the system's own, that has a module; undefined where none has.
 *
 * @param {string} module
 * @returns {string | undefined}
 */
export function pythonWith(module) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin'];
  return folders
    .map((folder) => join(folder, 'python3'))
    .find((path) => existsSync(path) && spawnSync(path, ['-c', `import ${module}`]).status === 0);
}
