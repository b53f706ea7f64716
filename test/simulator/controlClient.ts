import type { FrontReport } from '../../src/simulator/front.js';

/** Speaks to the control API of simulated fronts. */
export class ControlClient {
  readonly base: string;

  constructor(port: number) {
    this.base = `http://127.0.0.1:${port}`;
  }

  /** Sends a request; throws with the API's own words when it is refused. */
  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.base + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { error?: string };
    if (!response.ok) throw new Error(`${response.status} ${answer.error ?? ''}`);
    return answer;
  }

  /** Sets a fault, or lets it happen, on one front (from 0) or all. */
  async fault(
    front: number | 'all',
    fault: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    await this.request('POST', `/fronts/${front}/faults`, { fault, ...fields });
  }

  /** Clears one fault, or all of them. */
  async clear(front: number | 'all', fault?: string): Promise<void> {
    await this.request('DELETE', `/fronts/${front}/faults`, fault === undefined ? undefined : { fault });
  }

  async fronts(): Promise<FrontReport[]> {
    return ((await this.request('GET', '/fronts')) as { fronts: FrontReport[] }).fronts;
  }

  async setClock(at: string, speed?: number): Promise<void> {
    await this.request('POST', '/clock', { at, ...(speed === undefined ? {} : { speed }) });
  }
}
