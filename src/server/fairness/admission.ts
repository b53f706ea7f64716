import type { ErrorCode } from '../shared/errors.js';
import { AddressAccounts, type AddressAccount, type AddressLimits } from './addressAccounts.js';
import { whyNoOrigin } from './origins.js';

export interface AdmissionLimits extends AddressLimits {
  readonly maxClients: number;
  /** Origins of web pages that may connect beside the gateway's own. */
  readonly allowedOrigins: readonly string[];
}

/** Facts about an applicant for a WebSocket; headers are '' if absent. */
export interface Applicant {
  /** As `accountKey` writes it. */
  readonly address: string;
  readonly host: string;
  readonly origin: string;
  /** Sec-WebSocket-Version */
  readonly version: string;
}

/** Why somebody is not let in. */
export interface Refusal {
  readonly status: string;
  readonly code: ErrorCode;
  readonly message: string;
  /** s after which another try may succeed; undefined where it will not. */
  readonly retryAfter?: number;
}

/** The one version of the WebSocket protocol (RFC 6455). */
export const webSocketVersion = '13';

/** Decides who may connect, and who may ask. */
export class Admission {
  readonly accounts: AddressAccounts;
  /** WebSocket connections refused for any reason but their origin. */
  refusedClients = 0;
  refusedOrigins = 0;
  /** HTTP requests refused because their address sends too many. */
  refusedRequests = 0;
  readonly #limits: AdmissionLimits;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
    this.accounts = new AddressAccounts(limits);
  }

  /** Why the applicant may not open a WebSocket while there are so many clients, or its account, on which it counts from now on. */
  admit(applicant: Applicant, clients: number, nowMs: number): Refusal | AddressAccount {
    const { origin, host, version, address } = applicant;
    if (version !== webSocketVersion)
      return this.#refuse({
        status: '426 Upgrade Required',
        code: 'wrong_websocket_version',
        message: `Sec-WebSocket-Version must be ${webSocketVersion}, not ${JSON.stringify(version.slice(0, 20))}`,
      });
    const strange = this.whyNoOrigin(origin, host);
    if (strange !== undefined) return strange;
    const account = this.accounts.of(address, nowMs);
    const refusal = this.#whyNot(account, clients, nowMs);
    if (refusal !== undefined) return this.#refuse(refusal);
    account.clients++;
    return account;
  }

  /** Why a web page may not have ticks, or undefined when it may. Headers are '' where they are absent. */
  whyNoOrigin(origin: string, host: string): Refusal | undefined {
    const message = whyNoOrigin(origin, host, this.#limits.allowedOrigins);
    if (message === undefined) return undefined;
    this.refusedOrigins++;
    return { status: '403 Forbidden', code: 'origin_not_allowed', message };
  }

  /** A client that was admitted has left. */
  left(account: AddressAccount): void {
    account.clients--;
  }

  /** Why the address may not have an HTTP request answered, or undefined when it may. */
  admitRequest(address: string, nowMs: number): Refusal | undefined {
    const { requests, work } = this.accounts.of(address, nowMs);
    if (requests.tryTake(1, nowMs) && work.msInDebt(nowMs) === 0) return undefined;
    this.refusedRequests++;
    return {
      status: '429 Too Many Requests',
      code: 'too_many_requests',
      message: `requests of one address are answered ${this.#limits.requestsPerSecond} times a second at most`,
      retryAfter: 1,
    };
  }

  #whyNot(
    { clients: ofAddress, connects, work }: AddressAccount,
    clients: number,
    nowMs: number,
  ): Refusal | undefined {
    const { maxClients, maxClientsPerAddress, connectsPerSecond } = this.#limits;
    if (!connects.tryTake(1, nowMs))
      return {
        status: '429 Too Many Requests',
        code: 'too_many_connects',
        message: `one address may connect ${connectsPerSecond} times a second`,
        retryAfter: 1,
      };
    if (work.msInDebt(nowMs) > 0)
      return {
        status: '429 Too Many Requests',
        code: 'too_many_requests',
        message: 'the requests of this address have taken more than their share of the gateway',
        retryAfter: 1,
      };
    if (ofAddress >= maxClientsPerAddress)
      return {
        status: '429 Too Many Requests',
        code: 'too_many_clients',
        message: `one address may have ${maxClientsPerAddress} clients, and this one has them`,
        retryAfter: 10,
      };
    if (clients >= maxClients)
      return {
        status: '503 Service Unavailable',
        code: 'too_many_clients',
        message: `the gateway has ${maxClients} clients, which is all it may have`,
        retryAfter: 10,
      };
    return undefined;
  }

  #refuse(refusal: Refusal): Refusal {
    this.refusedClients++;
    return refusal;
  }
}
