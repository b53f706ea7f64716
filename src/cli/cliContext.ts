/** Where answers and errors go, how wide they may be, and the folder that relative paths start from. */
export interface CliContext {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Of the terminal; undefined when the answer goes elsewhere. */
  readonly columns: number | undefined;
  readonly cwd: string;
}

export function processContext(): CliContext {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    // Only on demand: Node makes standard output non-blocking, for those who share it too, when it first looks at it.
    get columns() {
      return process.stdout.isTTY ? process.stdout.columns : undefined;
    },
    cwd: process.cwd(),
  };
}
