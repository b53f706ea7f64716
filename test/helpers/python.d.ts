/** A Python on the PATH, or the system's own, that has a module; undefined where none has. */
export function pythonWith(module: string): string | undefined;
