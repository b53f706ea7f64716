import { dayToUtcMs } from '../market/calendar/tradingCalendar.js';

const shanghaiOffsetMinutes = 480;
/** Digits of numbers from year 1973 to 2286 in s, ms, µs and ns; a number of 8 digits is a day. */
const epochUnits: readonly { readonly digits: readonly number[]; readonly perMs: bigint | undefined }[] = [
  { digits: [9, 10], perMs: undefined },
  { digits: [12, 13], perMs: 1n },
  { digits: [15, 16], perMs: 1_000n },
  { digits: [18, 19], perMs: 1_000_000n },
];
const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|([+\- ])(\d{2}):?(\d{2})?)?)?$/i;
const compactDay = /^\d{8}$/;
const epoch = /^(\d{9,19})(?:\.(\d{1,9}))?$/;
const earliestMs = Date.UTC(1990, 0, 1);
const latestMs = Date.UTC(2200, 0, 1);

/** Forms that parseQueryTime accepts, for error messages. */
export const queryTimeForms =
  'an ISO time such as 2026-01-05T09:30:00+08:00 (Shanghai where it has no zone), a day such as 2026-01-05 or 20260105, or an epoch in s, ms, µs or ns; years 1990 to 2199';

/**
 * A moment in ms since the epoch, rounded up to a whole one, since ticks have no finer times and intervals are half-open:
 * a tick's t ≥ x means t ≥ ⌈x⌉, and t < x means t < ⌈x⌉. Undefined for anything but the forms of `momentForms`.
 *
 * The unit of an epoch follows from its digits: 9 or 10 are s, 12 or 13 ms, 15 or 16 µs, 18 or 19 ns. A blank in place of
 * a zone's plus sign is taken for one, for that is what an unescaped plus in an address turns into.
 */
export function parseQueryTime(text: string): number | undefined {
  const ms = compactDay.test(text) ? dayMs(text) : epoch.test(text) ? epochMs(text) : isoMs(text);
  return ms !== undefined && ms >= earliestMs && ms < latestMs ? ms : undefined;
}

function dayMs(text: string): number | undefined {
  return localMs(Number(text.slice(0, 4)), Number(text.slice(4, 6)), Number(text.slice(6)));
}

function isoMs(text: string): number | undefined {
  const match = iso.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part: string | undefined) => Number(part ?? 0));
  const midnight = localMs(year!, month!, day!);
  if (midnight === undefined || hour! > 23 || minute! > 59 || second! > 59) return undefined;
  const zone = zoneMinutes(match);
  if (zone === undefined) return undefined;
  const fraction = Math.ceil(Number(`0.${match[7] ?? '0'}`) * 1000 - 1e-7);
  const shift = (shanghaiOffsetMinutes - zone) * 60_000;
  return midnight + ((hour! * 60 + minute!) * 60 + second!) * 1000 + fraction + shift;
}

/** Minutes east of Greenwich; undefined where there is no such zone. */
function zoneMinutes([, , , , , , , , zone, sign, hours, minutes]: RegExpExecArray): number | undefined {
  if (zone === undefined) return shanghaiOffsetMinutes;
  if (zone.toUpperCase() === 'Z') return 0;
  const east = Number(hours) * 60 + Number(minutes ?? 0);
  if (Number(hours) > 14 || Number(minutes ?? 0) > 59) return undefined;
  return sign === '-' ? -east : east;
}

/** Midnight in Shanghai; undefined where there is no such day. */
function localMs(year: number, month: number, day: number): number | undefined {
  const ms = dayToUtcMs(year * 10_000 + month * 100 + day);
  return Number.isNaN(ms) ? undefined : ms - shanghaiOffsetMinutes * 60_000;
}

function epochMs(text: string): number | undefined {
  const [, whole, decimals = ''] = epoch.exec(text)!;
  const unit = epochUnits.find(({ digits }) => digits.includes(whole!.length));
  if (unit === undefined) return undefined;
  const some = /[1-9]/;
  if (unit.perMs === undefined) {
    const [ms, rest] = [decimals.slice(0, 3).padEnd(3, '0'), decimals.slice(3)];
    return Number(whole) * 1000 + Number(ms) + (some.test(rest) ? 1 : 0);
  }
  const value = BigInt(whole!);
  const isWhole = value % unit.perMs === 0n && !some.test(decimals);
  return Number(value / unit.perMs) + (isWhole ? 0 : 1);
}
