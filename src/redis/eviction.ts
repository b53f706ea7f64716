/**
 * Whether a server takes keys away when its memory is full, so whole streams, by its answer to INFO memory.
 *
 * @returns its maxmemory-policy and what fills it, such as `allkeys-lru at 104857600 bytes`; undefined where it takes none
 *   of ours away: they have no expiry, so policies that begin with `volatile-` leave them alone
 */
export function evictionOf(info: unknown): string | undefined {
  if (typeof info !== 'string') return undefined;
  const limit = Number(/^maxmemory:(\d+)\r?$/m.exec(info)?.[1] ?? 0);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? '';
  return limit > 0 && policy.startsWith('allkeys-') ? `${policy} at ${limit} bytes` : undefined;
}
