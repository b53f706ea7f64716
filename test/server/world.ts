import { pino } from 'pino';
import { WebSocket, type ClientOptions } from 'ws';
import { LimitedLog } from '../../src/log/limitedLog.js';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { QuoteEncoder } from '../../src/server/socket/quoteEncoder.js';
import { Field } from '../../src/market/quotes/quoteFields.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { Snapshots } from '../../src/app/snapshotSource.js';
import type { BackpressureLimits } from '../../src/server/socket/backpressure.js';
import type { HealthReport } from '../../src/server/http/health.js';
import { emptyHealth } from './healthReport.js';
import type { TickHistory } from '../../src/server/http/historyRoute.js';
import type { ServerLimits } from '../../src/server/socket/limits.js';
import { MarketServer, type MarketServerParts } from '../../src/server/marketServer.js';
import type { SessionsSource } from '../../src/server/http/sessionsPage.js';
import { until } from '../helpers/until.js';
import { makeTick, testTimeMs, type TickFields } from '../market/ticks.js';

export interface WorldOptions {
  host?: string;
  port?: number;
  limits?: Partial<ServerLimits>;
  backpressure?: Partial<BackpressureLimits>;
  access?: Pick<MarketServerParts, 'status' | 'statusIsPublic' | 'trustedProxies'>;
  sessions?: SessionsSource;
  /** Answers GET /api/history/ticks. */
  history?: Pick<TickHistory, 'run'>;
  /** Is called between clients that are served in one turn of the event loop. */
  takeTicks?: () => void;
  /** Clients wait for snapshots of instruments that had no line (`snapshots`). */
  waits?: boolean;
}

/** Any JSON object that the server sends. */
export type Frame = Record<string, unknown>;

export interface RtnData {
  quotes: Record<string, Frame>;
  meta: { account_id: string; ins_list: string; mdhis_more_data: boolean };
}

/** A server on a free port over a real book, directory and encoder, and the clients that a test connects to it. */
export class World {
  readonly directory: InstrumentDirectory;
  readonly book: QuoteBook;
  readonly server: MarketServer;
  readonly snapshots: Snapshots;
  readonly logLines: string[] = [];
  /** By bare id: how many sessions want the instrument. */
  readonly wanted = new Map<string, number>();
  /** Bare ids of instruments that wait for a place on a connection. */
  readonly waiting = new Set<string>();
  /** Instruments of each client that nobody knows to exist. */
  unproven = 0;
  health: HealthReport = emptyHealth;
  port = 0;
  readonly #limitedLog: LimitedLog;
  readonly #clients: TestClient[] = [];
  readonly #volumes = new Map<string, number>();

  private constructor(options: WorldOptions) {
    const { host, port, limits, backpressure, access, sessions, history, waits, takeTicks } = options;
    this.directory = new InstrumentDirectory({
      products: loadProducts(),
      maxInstruments: 50_000,
      now: () => testTimeMs,
    });
    this.book = new QuoteBook(this.directory, new ExchangeClock(new WeekdayCalendar()));
    const logger = pino({ level: 'debug' }, { write: (line: string) => this.logLines.push(line) });
    this.#limitedLog = new LimitedLog(logger);
    const encoder = new QuoteEncoder(this.book, this.directory);
    this.snapshots = new Snapshots({
      book: this.book,
      onSettled: (slot) => this.server.onSettled(slot),
      onSettledEnd: () => this.server.onBatchEnd(),
    });
    this.server = new MarketServer({
      host: host ?? '127.0.0.1',
      port: port ?? 0,
      limits: {
        maxClients: 1000,
        maxClientsPerAddress: 1000,
        connectsPerSecond: 1000,
        requestsPerSecond: 1000,
        clientWork: 50,
        addressWork: 100,
        viewWork: 100,
        maxKeptBytes: 268_435_456,
        maxUnfinishedBytes: 67_108_864,
        allowedOrigins: [],
        maxInstrumentsPerClient: 20_000,
        maxFrameBytes: 1_048_576,
        maxBadFrames: 100,
        ...limits,
      },
      directory: this.directory,
      book: this.book,
      encoder,
      ...(waits === true ? { snapshots: this.snapshots } : {}),
      demand: {
        want: (slot) => {
          this.#count(slot, 1);
        },
        drop: (slot) => {
          this.#count(slot, -1);
        },
        waiting: (slots) => [...slots].filter((slot) => this.waiting.has(this.directory.bySlot(slot).id)),
        unprovenOf: () => this.unproven,
      },
      health: () => this.health,
      logger,
      limitedLog: this.#limitedLog,
      ...(backpressure === undefined ? {} : { backpressure }),
      ...(sessions === undefined ? {} : { sessions }),
      ...(takeTicks === undefined ? {} : { takeTicks }),
      ...access,
      ...(history === undefined
        ? {}
        : {
            history: {
              keyOf: (requested) => this.directory.keyOf(requested),
              adviseUnknown: (requested) =>
                this.directory.adviseUnknown(requested, (slot) => this.book.value(slot, Field.openInterest)),
              run: (query, receiver, address) => history.run(query, receiver, address),
            },
          }),
    });
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    world.port = await world.server.listen();
    return world;
  }

  static unstarted(options: WorldOptions): World {
    return new World(options);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.socket.terminate();
    this.snapshots.stop();
    await this.server.close(1000);
    this.#limitedLog.close();
  }

  /** A tick that the book takes: the volume grows by itself. Clients that wait are told by batchEnd alone. */
  tick(id: string, fields: TickFields = {}): void {
    const { slot } = this.directory.resolve(id)!;
    const volume = (this.#volumes.get(id) ?? 100) + 1;
    this.#volumes.set(id, volume);
    if (!this.book.apply(makeTick({ slot, volume, ...fields }))) throw new Error('the book refused the tick');
    this.server.onTick(slot);
  }

  /** A tick that is a batch of its own. */
  tickAlone(id: string, fields: TickFields = {}): void {
    this.tick(id, fields);
    this.server.onBatchEnd();
  }

  async connect(path = '/', options: ClientOptions = {}): Promise<TestClient> {
    const client = new TestClient(new WebSocket(`ws://127.0.0.1:${this.port}${path}`, options));
    this.#clients.push(client);
    await client.opened();
    return client;
  }

  /** A client that has been sent its first frame. */
  async connectAid(): Promise<TestClient> {
    const client = await this.connect();
    await client.rtnData();
    return client;
  }

  connectAction(): Promise<TestClient> {
    return this.connect('/?protocol=action');
  }

  #count(slot: number, change: number): void {
    const { id } = this.directory.bySlot(slot);
    const count = (this.wanted.get(id) ?? 0) + change;
    if (count < 0) throw new Error(`${id} is dropped more often than wanted`);
    if (count === 0) this.wanted.delete(id);
    else this.wanted.set(id, count);
  }
}

export class TestClient {
  readonly socket: WebSocket;
  closedWith: { code: number; reason: string } | undefined;
  readonly #frames: string[] = [];
  readonly #opened: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.#opened = new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.on('message', (data: Buffer) => {
      this.#frames.push(data.toString('utf8'));
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.closedWith = { code, reason: reason.toString('utf8') };
      this.#wake();
    });
    socket.on('error', () => undefined);
  }

  opened(): Promise<void> {
    return this.#opened;
  }

  /** Sends an object as JSON, or text and bytes as they are. */
  send(message: Frame | string | Buffer): void {
    this.socket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  peek(): void {
    this.send({ aid: 'peek_message' });
  }

  async nextText(): Promise<string> {
    await this.#until('a frame', () => this.#frames.length > 0 || this.closedWith !== undefined);
    const frame = this.#frames.shift();
    if (frame === undefined) throw new Error(`closed with ${JSON.stringify(this.closedWith)}`);
    return frame;
  }

  async next(): Promise<Frame> {
    return JSON.parse(await this.nextText()) as Frame;
  }

  async rtnData(): Promise<RtnData> {
    const frame = await this.next();
    if (frame['aid'] !== 'rtn_data') throw new Error(`not rtn_data: ${JSON.stringify(frame)}`);
    const [first, meta] = frame['data'] as [{ quotes: RtnData['quotes'] }, RtnData['meta']];
    return { quotes: first.quotes, meta };
  }

  /** The server has answered everything sent before, and these are the frames that came in the meantime. */
  async settled(): Promise<Frame[]> {
    this.send({ action: 'ping' });
    const frames: Frame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame['action'] === 'pong') return frames;
      frames.push(frame);
    }
  }

  /** Subscribes on the aid side and takes the acknowledgement. */
  async subscribeQuote(insList: string): Promise<void> {
    this.send({ aid: 'subscribe_quote', ins_list: insList });
    const ack = await this.next();
    if (ack['status'] !== 'ok') throw new Error(`not acknowledged: ${JSON.stringify(ack)}`);
  }

  /** Subscribes on the action side and takes the acknowledgement. */
  async subscribe(instruments: string[], options: Frame = {}): Promise<Frame> {
    this.send({ action: 'subscribe', instruments, ...options });
    return this.next();
  }

  async closed(): Promise<{ code: number; reason: string }> {
    return this.#until('the close', () => this.closedWith);
  }

  /** Looks again whenever something has come. */
  #until<T>(what: string, check: () => T): Promise<NonNullable<Awaited<T>>> {
    return until(what, check, undefined, (woken) => (this.#wake = woken));
  }
}
