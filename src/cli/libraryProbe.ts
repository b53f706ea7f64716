/**
 * The process in which check-library drives a library: whatever the library does, it does it here. Started by ProbeProcess.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endProcess } from '../coordinator/workers/workerPool.js';
import { examineLibrary, openVendorLibrary, VendorSession } from '../ctp/bridge.js';
import { EventChannel } from '../ring/eventChannel.js';
import { EventReader, type BridgeEvent } from '../ring/eventRing.js';
import { allocateTickRing, TickRingReader } from '../ring/tickRing.js';
import {
  passwordVariable,
  reportDescriptor,
  type ProbeMessage,
  type ProbeOrder,
  type ProbeState,
} from './probeMessages.js';
import { errorText } from '../base/errorText.js';

const pollMs = 10;
const ringRecords = 1024;

function report(message: ProbeMessage): void {
  writeSync(reportDescriptor, `${JSON.stringify(message)}\n`);
}

class Probe {
  readonly #order: ProbeOrder;
  readonly #channel = new EventChannel();
  readonly #events = new EventReader(this.#channel.handle.ring);
  readonly #sessions: VendorSession[] = [];
  readonly #readers: TickRingReader[] = [];
  readonly #everConnected = new Set<number>();
  readonly #reasons = new Set<number>();
  #connected = 0;
  #disconnected = 0;
  #login: ProbeState['login'];
  #ticks = 0;
  #released = 0;
  #reported = '';

  constructor(order: ProbeOrder) {
    this.#order = order;
  }

  open(): void {
    const { library, libraryVersion, production, folder, fronts, sessions } = this.#order;
    const opened = openVendorLibrary({ library, libraryVersion, production });
    for (let source = 0; source < sessions; source++) {
      const tickRing = allocateTickRing(ringRecords);
      const session = new VendorSession({
        owner: this.#channel.handle.owner,
        library: opened,
        connection: source,
        flowFolder: join(folder, `${source}`),
        tickRing,
        tickDoorbells: [],
      });
      this.#sessions.push(session);
      this.#readers.push(new TickRingReader(tickRing));
      const code = session.start(fronts);
      if (code < 0) throw new Error(`the library failed to start a session, code ${code}`);
    }
    this.#report();
    setInterval(() => this.#poll(), pollMs);
  }

  release(): void {
    for (const session of this.#sessions) session.close();
  }

  #poll(): void {
    for (let event = this.#events.next(); event !== undefined; event = this.#events.next()) this.#take(event);
    for (const reader of this.#readers) while (reader.next()) this.#ticks++;
    this.#report();
  }

  #take(event: BridgeEvent): void {
    const session = this.#sessions[event.connection]!;
    switch (event.type) {
      case 'front_connected':
        this.#connected++;
        this.#everConnected.add(event.connection);
        this.#logIn(session);
        break;
      case 'front_disconnected':
        this.#disconnected++;
        this.#reasons.add(event.code);
        break;
      case 'login_response':
        this.#login = {
          code: event.code,
          text: event.code === 0 ? event.systemName : event.text,
          tradingDay: event.tradingDay,
        };
        if (event.code === 0) this.#subscribe(session);
        break;
      case 'error':
        this.#login ??= { code: event.code, text: event.text, tradingDay: 0 };
        break;
      case 'released':
        this.#released++;
        break;
      case 'heartbeat_warning':
      case 'logout_response':
      case 'subscribe_refused':
      case 'unsubscribe_refused':
        // Nothing that a trial asks for.
        break;
    }
  }

  #logIn(session: VendorSession): void {
    const { login } = this.#order;
    if (login === undefined) return;
    const code = session.login(login.brokerId, login.userId, process.env[passwordVariable] ?? '', 1);
    if (code < 0) this.#login = { code, text: 'the login could not be sent', tradingDay: 0 };
  }

  #subscribe(session: VendorSession): void {
    const ids = this.#order.login!.instruments;
    session.subscribe(
      ids,
      ids.map((_, slot) => slot),
    );
  }

  #report(): void {
    const state: ProbeState = {
      opened: this.#sessions.length,
      everConnected: this.#everConnected.size,
      connected: this.#connected,
      disconnected: this.#disconnected,
      reasons: [...this.#reasons],
      login: this.#login,
      ticks: this.#ticks,
      released: this.#released,
    };
    const text = JSON.stringify(state);
    if (text === this.#reported) return;
    this.#reported = text;
    report({ type: 'state', state });
  }
}

const order = JSON.parse(process.argv[2]!) as ProbeOrder;
// Without its parent it has nothing to do.
process.stdin.on('end', () => endProcess(0));
try {
  if (order.sessions === 0) {
    report({ type: 'facts', facts: examineLibrary(order.library, order.libraryVersion) });
    endProcess(0);
  }
  const probe = new Probe(order);
  createInterface({ input: process.stdin }).on('line', (command) => {
    if (command === 'release') probe.release();
    else endProcess(0);
  });
  probe.open();
} catch (error) {
  report({ type: 'failed', text: errorText(error) });
  endProcess(0);
}
