/** A connection as the kernel knows it. */
export interface ReceivedBytes {
  readonly descriptor: number;
  /** Bytes that have come from the peer since it connected. */
  readonly received: number;
}

/** A connection that holds part of a message, and how many bytes. */
export interface Unfinished {
  readonly descriptor: number;
  readonly bytes: number;
}

/** Bytes beyond those of handled messages that a client may have sent: its request to connect, answers to pings. */
export const otherBytes = 16_384;

/**
 * Which connections hold unfinished messages. uWebSockets.js does not say which client a descriptor belongs
 * to, so the kernel's counts are matched with those of the clients, the largest first: what a client is known to have
 * sent explains the connection that has received the least above it.
 *
 * @param connections all that have received more than `otherBytes`, those that are no WebSockets too
 * @param handled bytes of the messages that each client has sent whole, headers included
 * @param mostBytes that uWebSockets.js holds of one connection: what goes beyond it was something else, such as HTTP requests
 */
export function unfinishedOf(
  connections: readonly ReceivedBytes[],
  handled: readonly number[],
  mostBytes: number,
): Unfinished[] {
  const open = [...connections].sort((a, b) => a.received - b.received);
  const unfinished: Unfinished[] = [];
  for (const bytes of handled.filter((each) => each > otherBytes).sort((a, b) => b - a)) {
    const index = open.findIndex(({ received }) => received >= bytes);
    if (index < 0) continue;
    const [{ descriptor, received }] = open.splice(index, 1) as [ReceivedBytes];
    if (received - bytes > otherBytes)
      unfinished.push({ descriptor, bytes: Math.min(mostBytes, received - bytes) });
  }
  for (const { descriptor, received } of open)
    if (received > otherBytes) unfinished.push({ descriptor, bytes: Math.min(mostBytes, received) });
  return unfinished;
}

/** The largest of these, as many as have to go until the rest is within the limit. */
export function overLimit(unfinished: readonly Unfinished[], limitBytes: number): Unfinished[] {
  let sum = unfinished.reduce((total, { bytes }) => total + bytes, 0);
  const cut: Unfinished[] = [];
  for (const each of [...unfinished].sort((a, b) => b.bytes - a.bytes)) {
    if (sum <= limitBytes) break;
    cut.push(each);
    sum -= each.bytes;
  }
  return cut;
}
