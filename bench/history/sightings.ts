/** One quote in a frame: what a history is made of. */
export interface Sighting {
  readonly instrument: string;
  /** The quote's volume, which a front in bench mode makes a sequence. */
  readonly sequence: number;
}

interface Quote {
  readonly volume?: unknown;
}

interface Frame {
  readonly action?: unknown;
  readonly instrument_id?: unknown;
  readonly aid?: unknown;
  readonly data?: unknown;
}

function sighting(instrument: string, quote: Quote): Sighting[] {
  return typeof quote.volume === 'number' ? [{ instrument, sequence: quote.volume }] : [];
}

/** The quotes with a volume in a parsed frame of either protocol, in order; none in any other frame. */
export function sightingsIn(frame: object): Sighting[] {
  const { action, instrument_id: id, aid, data } = frame as Frame;
  if (action === 'market_data' && typeof id === 'string') return sighting(id, data as Quote);
  if (aid !== 'rtn_data' || !Array.isArray(data)) return [];
  const [{ quotes = {} } = {}] = data as [{ quotes?: Record<string, Quote> }?];
  return Object.entries(quotes).flatMap(([instrument, quote]) => sighting(instrument, quote));
}
