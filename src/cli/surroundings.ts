/** Where answers and errors go, and the folder that relative paths start from. */
export interface CliSurroundings {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly cwd: string;
}

export function processSurroundings(): CliSurroundings {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    cwd: process.cwd(),
  };
}
