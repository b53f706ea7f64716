/**
 * Why a tick is skipped.
 *
 *   duplicate       a copy of the held state, or a late copy of one that was there before at the same key
 *   regressed       older than the held state: a late snapshot, the slower of two lines
 *   falling_volume  later than the held state, but with less volume on the same trading day
 *   off_session     at its time its trading day had no session of the product, and the held state is of a session
 *   off_day         from a weekend, when exchanges test their systems
 *   untimed         no usable update time
 *   garbage         a negative volume, or nothing at all
 */
export type Rejection =
  'duplicate' | 'regressed' | 'falling_volume' | 'off_session' | 'off_day' | 'untimed' | 'garbage';

/** How many ticks were taken, and how many were skipped for each reason. */
export type BookCounters = { accepted: number } & Record<Rejection, number> & {
    /** Held states that were given up, since a row of later ticks contradicted them. */
    reset: number;
  };

export function noTicks(): BookCounters {
  return {
    accepted: 0,
    duplicate: 0,
    regressed: 0,
    falling_volume: 0,
    off_session: 0,
    off_day: 0,
    untimed: 0,
    garbage: 0,
    reset: 0,
  };
}
