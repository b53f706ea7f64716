import type { RedisOptions } from 'ioredis';
import type { Address } from '../config/addressList.js';
import type { RedisConfig } from '../config/redisConfig.js';
import { clusterLayout } from './clusterLayout.js';
import { evictionOf } from './eviction.js';
import { causeOf, RedisNode, type NodeEvents, type Reply } from './redisNode.js';

/** Time between two looks at the cluster's layout, while it cannot be used and while it can. */
const layoutMs = 1000;
const settledLayoutMs = 10_000;

export interface LinkEvents extends NodeEvents {
  /** Takes advice for the operator of Redis, one line, once for each server. */
  readonly onAdvice?: (text: string) => void;
}

/** Options of a client for one server, or for the one that the sentinels name. */
export function redisOptions(config: RedisConfig, address?: Address): RedisOptions {
  const { username, password, sentinels, sentinelPassword } = config;
  const tls = config.tls === undefined ? undefined : tlsOptions(config.tls);
  return {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    ...(config.db === 0 ? {} : { db: config.db }),
    ...(sentinels.length === 0
      ? (address ?? { host: config.host, port: config.port })
      : {
          sentinels: [...sentinels],
          name: config.sentinelMaster,
          ...(sentinelPassword === '' ? {} : { sentinelPassword }),
          ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
        }),
  };
}

function tlsOptions({ ca, cert, key }: NonNullable<RedisConfig['tls']>): NonNullable<RedisOptions['tls']> {
  return { ...(ca === '' ? {} : { ca }), ...(cert === '' ? {} : { cert, key }) };
}

/** Redis as the settings describe it: a server, the master that sentinels name, or the masters of a cluster. */
export class RedisLink {
  readonly #config: RedisConfig;
  readonly #events: LinkEvents;
  /** By address; one of any name where there is no cluster. */
  readonly #nodes = new Map<string, RedisNode>();
  /** Address of the master of each slot, in a cluster. */
  #slots: readonly string[] = [];
  /** Address of the server that a slot has moved to last: it knows the layout, others may learn of it seconds later. */
  #informed = '';
  /** Servers that advice was given for. */
  readonly #advised = new Set<string>();
  #layoutTimer: NodeJS.Timeout | undefined;
  #asking = false;
  /** When the layout was last heard; performance.now(). */
  #arrangedAt = 0;
  #isUp = false;
  #closed = false;

  /**
   * @param events onUp when all servers answer, also where one of them has just come back; onDown when one does not
   */
  constructor(config: RedisConfig, events: LinkEvents) {
    this.#config = config;
    this.#events = events;
  }

  /** How log lines name it. */
  get name(): string {
    const { host, port, sentinels, sentinelMaster, clusterNodes } = this.#config;
    if (clusterNodes.length > 0) return `Redis Cluster at ${clusterNodes.map(addressText).join(', ')}`;
    if (sentinels.length > 0) return `Redis ${sentinelMaster} of the sentinels`;
    return `Redis at ${host}:${port}`;
  }

  get isCluster(): boolean {
    return this.#config.clusterNodes.length > 0;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Round trip of the slowest server's last pipeline; undefined while Redis cannot be used. */
  get latencyMs(): number | undefined {
    if (!this.#isUp) return undefined;
    return Math.max(...this.nodes().map(({ latencyMs }) => latencyMs ?? 0));
  }

  start(): void {
    if (!this.isCluster) {
      this.#open('only', undefined);
      return;
    }
    for (const address of this.#config.clusterNodes) this.#open(addressText(address), address);
    this.#layoutTimer = setInterval(() => {
      if (!this.#isUp || performance.now() - this.#arrangedAt > settledLayoutMs) void this.refresh();
    }, layoutMs);
  }

  /** Anyone who has the keys of a slot; undefined where nobody is known to. */
  nodeOf(slot: number): RedisNode | undefined {
    return this.#nodes.get(this.isCluster ? (this.#slots[slot] ?? '') : 'only');
  }

  /** The servers that have keys. */
  nodes(): RedisNode[] {
    if (!this.isCluster) return [...this.#nodes.values()];
    return [...new Set(this.#slots)].flatMap((address) => this.#nodes.get(address) ?? []);
  }

  /** Learns from a server's answer about the layout: another one has the key, or this one is no longer the master. */
  consider({ message }: Error, node: RedisNode): void {
    this.#informed = /^MOVED \d+ (\S+)$/.exec(message)?.[1] ?? this.#informed;
    if (/^(MOVED|ASK|CLUSTERDOWN|TRYAGAIN) /.test(message)) void this.refresh();
    if (message.startsWith('READONLY') && this.#config.sentinels.length > 0)
      node.reconnect(new Error('it is a replica'));
    if (message.startsWith('READONLY') && this.isCluster) void this.refresh();
  }

  /** Asks for the cluster's layout, and opens and closes connections as it says. */
  async refresh(): Promise<void> {
    if (!this.isCluster || this.#asking || this.#closed) return;
    this.#asking = true;
    const layout = await this.#askForLayout();
    this.#asking = false;
    if (typeof layout === 'object') this.#arrange(layout);
    // Without any layout nothing else says why. An older one is used until there is a better one.
    else if (this.#slots.length === 0 && layout !== undefined) this.#down(layout);
    this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#isUp = false;
    clearInterval(this.#layoutTimer);
    for (const node of this.#nodes.values()) node.close();
  }

  /** Layout from the first server that knows it; otherwise why one of them does not, undefined if none has answered. */
  async #askForLayout(): Promise<readonly string[] | string | undefined> {
    let trouble: string | undefined;
    const ready = [...this.#nodes].filter(([, node]) => node.isReady);
    const first = ready.findIndex(([address]) => address === this.#informed);
    if (first > 0) ready.unshift(...ready.splice(first, 1));
    for (const [address, node] of ready) {
      const [reply] = await node.run([['CLUSTER', 'SLOTS']]).catch((): Reply[] => []);
      if (reply === undefined) continue;
      const layout = 'error' in reply ? causeOf(reply.error) : clusterLayout(reply.value, hostOf(address));
      if (typeof layout !== 'string') return layout;
      trouble ??= `${address}: ${layout}`;
    }
    return trouble;
  }

  #arrange(slots: readonly string[]): void {
    if (this.#closed) return;
    this.#arrangedAt = performance.now();
    // A replica that has taken a master's place may lack what that acknowledged last.
    if ([...new Set(this.#slots)].some((address) => !slots.includes(address))) this.#isUp = false;
    this.#slots = slots;
    const wanted = new Set([...slots, ...this.#config.clusterNodes.map(addressText)]);
    for (const address of wanted) {
      const parts = /^(.*):(\d+)$/.exec(address);
      if (!this.#nodes.has(address) && parts !== null)
        this.#open(address, { host: parts[1]!, port: Number(parts[2]) });
    }
    for (const [address, node] of this.#nodes) {
      if (wanted.has(address)) continue;
      node.close();
      this.#nodes.delete(address);
    }
  }

  #open(name: string, address: Address | undefined): void {
    const node = new RedisNode(redisOptions(this.#config, address), {
      onUp: () => {
        if (this.isCluster) {
          // What the others know may have changed with it.
          this.#isUp = false;
          void this.refresh();
        }
        void this.#advise(name, node);
        this.#look();
      },
      onDown: (cause) => {
        if (this.isCluster) void this.refresh();
        const isNeeded = !this.isCluster || this.#slots.length === 0 || this.#slots.includes(name);
        if (isNeeded) this.#down(this.isCluster ? `${name}: ${cause}` : cause);
      },
    });
    this.#nodes.set(name, node);
  }

  /** Looks whether a server keeps what it has. */
  async #advise(name: string, node: RedisNode): Promise<void> {
    const [reply] = await node.run([['INFO', 'memory']]).catch((): Reply[] => []);
    if (reply === undefined || 'error' in reply || this.#advised.has(name)) return;
    const eviction = evictionOf(reply.value);
    if (eviction === undefined) return;
    this.#advised.add(name);
    const where = this.isCluster ? name : this.name;
    this.#events.onAdvice?.(
      `${where} takes stored ticks away when it is full (maxmemory-policy ${eviction}); set the policy to noeviction`,
    );
  }

  #look(): void {
    const nodes = this.nodes();
    const isUp = !this.#closed && !this.#asking && nodes.length > 0 && nodes.every((node) => node.isReady);
    if (isUp && !this.#isUp) {
      this.#isUp = true;
      this.#events.onUp();
    }
  }

  #down(cause: string): void {
    this.#isUp = false;
    if (!this.#closed) this.#events.onDown(cause);
  }
}

function addressText({ host, port }: Address): string {
  return `${host}:${port}`;
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
