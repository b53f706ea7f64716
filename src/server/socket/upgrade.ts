import { failure, refuse, respond } from '../http/response.js';
import type { AddressAccount } from '../fairness/addressAccounts.js';
import type { Admission } from '../fairness/admission.js';
import type { ClientSession } from './clientSession.js';
import type { UwsRequest, UwsResponse } from '../uws/uwsApi.js';

/** User data of a socket, from the upgrade on. */
export interface Connected {
  readonly address: string;
  readonly account: AddressAccount;
  readonly wantsFirstFrame: boolean;
  session: ClientSession | undefined;
}

export interface UpgradeParts {
  readonly admission: Admission;
  /** False while the server is stopping. */
  accepting(): boolean;
  /** Clients that are connected. */
  clients(): number;
  /** Of who asks, whatever lies in between. */
  addressOf(res: UwsResponse, req: UwsRequest): string;
  /** Under which an address is counted. */
  keyOf(address: string): string;
}

/**
 * Values of ?protocol=. A session may use both protocols in any case; with `action` it does not get the first frame of
 * aid.
 */
const protocols = ['aid', 'action'] as const;

/** Answers a request to become a WebSocket: lets it in, or says why not. */
export function upgrade(res: UwsResponse, req: UwsRequest, context: unknown, parts: UpgradeParts): void {
  if (!parts.accepting()) {
    respond(res, failure('503 Service Unavailable', 'shutting_down', 'the gateway is stopping'), false);
    return;
  }
  const protocol = new URLSearchParams(req.getQuery()).get('protocol');
  if (protocol !== null && !isProtocol(protocol)) {
    const message = `protocol is ${protocols.join(' or ')}, or left out for both; not ${JSON.stringify(protocol)}`;
    refuse(res, { status: '400 Bad Request', code: 'unknown_protocol', message });
    return;
  }
  const address = parts.addressOf(res, req);
  const applicant = {
    address: parts.keyOf(address),
    host: req.getHeader('host'),
    origin: req.getHeader('origin'),
    version: req.getHeader('sec-websocket-version'),
  };
  const admitted = parts.admission.admit(applicant, parts.clients(), performance.now());
  if ('status' in admitted) {
    refuse(res, admitted);
    return;
  }
  const connected: Connected = {
    address,
    account: admitted,
    wantsFirstFrame: protocol !== 'action',
    session: undefined,
  };
  res.upgrade(
    connected,
    req.getHeader('sec-websocket-key'),
    req.getHeader('sec-websocket-protocol'),
    req.getHeader('sec-websocket-extensions'),
    context,
  );
}

function isProtocol(name: string): name is (typeof protocols)[number] {
  return protocols.some((each) => each === name);
}
