// The week from Thursday's night to the Monday after next, and the hours of every product in it: written down by hand,
// from the exchanges' notices and contract specifications, and so independent of what the gateway and the simulated
// exchange read them from.

const minuteMs = 60_000;

export interface TradingDay {
  /** yyyymmdd */
  readonly day: string;
  /** Date of the evening on which its night begins, yyyy-mm-dd; null where none is held. */
  readonly night: string | null;
}

/**
 * Friday the 18th is the third Friday; Friday the 25th is Mid-Autumn, so that there is no night on the 24th. The first one
 * is over when the week begins, but for what a subscription is answered with; of the last one the night is begun.
 */
export const tradingDays: readonly TradingDay[] = [
  { day: '20260917', night: '2026-09-16' },
  { day: '20260918', night: '2026-09-17' },
  { day: '20260921', night: '2026-09-18' },
  { day: '20260922', night: '2026-09-21' },
  { day: '20260923', night: '2026-09-22' },
  { day: '20260924', night: '2026-09-23' },
  { day: '20260928', night: null },
  { day: '20260929', night: '2026-09-28' },
];
export const weekBegin = '2026-09-17T20:30:00+08:00';
export const weekEnd = '2026-09-28T17:05:00+08:00';

/** Products by the end of their night. */
const nights: Readonly<Record<string, string>> = {
  '02:30': 'au ag sc',
  '01:00': 'cu al zn pb ni sn ao ad ss bc',
  '23:00':
    'rb hc fu bu ru br sp op lu nr a b m y p c cs rr i j jm l v pp eg eb pg bz l_f v_f pp_f ' +
    'SR CF CY TA MA FG SA OI RM PF PX SH PR PL ZC',
  none: 'wr ec jd lh fb bb lg AP CJ PK UR SF SM RS WH PM RI LR JR IF IH IC IM TS TF T TL si lc ps pt pd',
};
const indexFutures = new Set('IF IH IC IM'.split(' '));
const bondFutures = new Set('TS TF T TL'.split(' '));

/** What trades in the week: every product that has futures. */
export const products: readonly string[] = Object.values(nights).flatMap((codes) => codes.split(' '));

/** Last trading days that fall into the week: the third Friday, and the fourth last trading day of September. */
export const lastDays: Readonly<Record<string, string>> = {
  ...each('IF2609 IH2609 IC2609 IM2609', '20260918'),
  ...each('jd2609 lh2609 lg2609 eg2609 eb2609 pg2609 bz2609', '20260924'),
};
/** What is listed in their place on the trading day after. */
export const firstDays: Readonly<Record<string, string>> = {
  ...each('IF2611 IH2611 IC2611 IM2611', '20260921'),
  ...each('jd2709 lh2709 lg2709 eg2709 eb2709 pg2709 bz2709', '20260928'),
};

/** A stretch of a trading day, in ms since the epoch. Ticks may be stamped within it, up to and with `to`. */
export interface Stretch {
  readonly kind: 'auction' | 'night' | 'trading' | 'status';
  readonly from: number;
  readonly to: number;
}

/** What a product does on a trading day, in order. */
export function stretchesOf(product: string, { day, night }: TradingDay): Stretch[] {
  const nightEnd = Object.keys(nights).find((end) => nights[end]!.split(' ').includes(product));
  if (nightEnd === undefined) throw new Error(`the week has no hours of ${product}`);
  const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  const found: Stretch[] = [];
  if (nightEnd !== 'none' && night !== null) {
    const open = at(night, '21:00');
    const evening = at(night, nightEnd);
    const close = evening > open ? evening : evening + 24 * 60 * minuteMs;
    found.push({ kind: 'auction', from: open - 5 * minuteMs, to: open - 1 });
    found.push({ kind: 'night', from: open, to: close });
  }
  const sessions = daySessions(product);
  if (found.length === 0) {
    const open = at(date, sessions[0]![0]);
    found.push({ kind: 'auction', from: open - 5 * minuteMs, to: open - 1 });
  }
  for (const [from, to] of sessions) found.push({ kind: 'trading', from: at(date, from), to: at(date, to) });
  found.push({ kind: 'status', from: at(date, '15:00'), to: at(date, '17:00') });
  return found;
}

/** The state that GET /api/sessions must give at an instant. */
export function stateAt(product: string, timeMs: number): string {
  for (const day of tradingDays) {
    const stretches = stretchesOf(product, day).filter(({ kind }) => kind !== 'status');
    const inside = stretches.find(({ from, to }) => timeMs >= from && timeMs < to);
    if (inside !== undefined) return inside.kind;
    const byDay = stretches.filter(({ kind }) => kind === 'trading');
    if (timeMs >= byDay[0]!.from && timeMs < byDay.at(-1)!.to) return 'break';
  }
  return 'closed';
}

function daySessions(product: string): readonly (readonly [string, string])[] {
  if (indexFutures.has(product) || bondFutures.has(product))
    return [
      ['09:30', '11:30'],
      ['13:00', bondFutures.has(product) ? '15:15' : '15:00'],
    ];
  return [
    ['09:00', '10:15'],
    ['10:30', '11:30'],
    ['13:30', '15:00'],
  ];
}

function at(date: string, time: string): number {
  return Date.parse(`${date}T${time}:00+08:00`);
}

function each(ids: string, day: string): Record<string, string> {
  return Object.fromEntries(ids.split(' ').map((id) => [id, day]));
}
