import { hostname } from 'node:os';
import { isIP } from 'node:net';

/** A page from a file or a sandbox has this origin. */
const opaqueOrigin = 'null';

/**
 * Why a web page may not have ticks, or undefined when it may. Programs other than browsers send no Origin, and may.
 *
 * The gateway's own pages may: their origin is the host that they ask. That host must be an address, `localhost` or the
 * machine's own name, or else a page whose name was turned to this machine's address (DNS rebinding) would pass.
 *
 * @param origin the header; '' where it is absent
 * @param host the Host header
 * @param allowed origins such as `https://desk.example:8443`, `null` for pages from files, or `*` for all
 */
export function whyNoOrigin(origin: string, host: string, allowed: readonly string[]): string | undefined {
  if (origin === '' || allowed.includes('*') || allowed.includes(origin.toLowerCase())) return undefined;
  if (origin !== opaqueOrigin && isOwn(origin, host)) return undefined;
  return `web pages of ${origin.slice(0, 200)} may not have ticks: allowed_origins lists those that may`;
}

function isOwn(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  if (page.protocol !== 'http:' && page.protocol !== 'https:') return false;
  const asked = `${page.protocol}//${host}`;
  if (!URL.canParse(asked) || page.host !== new URL(asked).host) return false;
  const name = page.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return isIP(name) !== 0 || name === 'localhost' || name === hostname().toLowerCase();
}
