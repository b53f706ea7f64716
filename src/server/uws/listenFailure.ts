import { createServer } from 'node:net';

/** uWebSockets says only that it cannot listen, so the reason comes from trying it once more with Node. `setting` is where the port comes from. */
export function whyNotListening(host: string, port: number, setting = '--port'): Promise<string> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        resolve(`the port is in use by another program, ${setting} takes another one`);
      else if (error.code === 'EADDRNOTAVAIL') resolve('this machine does not have the address');
      else if (error.code === 'EACCES') resolve('this user may not use the port');
      else resolve(error.message);
    });
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close(() => {
        resolve('the port was taken for a moment, try again');
      });
    });
  });
}
