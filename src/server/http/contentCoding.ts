/** Codings that bodies are kept in, the preferred one first where a client likes several alike. */
export const contentCodings = ['br', 'gzip', 'identity'] as const;

export type ContentCoding = (typeof contentCodings)[number];

/** Below every weight that can be written: taken by those who do not mention it, but after all that they mention. */
const unmentionedIdentity = 0.0001;

/**
 * The coding for a client's Accept-Encoding header (RFC 9110, 12.5.3): the one with the highest weight, of equal ones the
 * smallest body. Never fails: who refuses everything gets the plain body, as the standard recommends.
 */
export function chooseCoding(acceptEncoding: string): ContentCoding {
  const weights = parseWeights(acceptEncoding);
  const others = weights.get('*');
  let chosen: ContentCoding = 'identity';
  let best = 0;
  for (const coding of contentCodings) {
    const unmentioned = others ?? (coding === 'identity' ? unmentionedIdentity : 0);
    const weight = weights.get(coding) ?? unmentioned;
    if (weight <= best) continue;
    best = weight;
    chosen = coding;
  }
  return chosen;
}

/** Weights by lower-case coding; a coding with a weight that is none counts as refused. */
function parseWeights(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((each) => each.trim());
    if (name === '') continue;
    const given = parameters.find((each) => each.startsWith('q='));
    const weight = given === undefined ? 1 : Number(given.slice(2));
    weights.set(name === 'x-gzip' ? 'gzip' : name, weight >= 0 && weight <= 1 ? weight : 0);
  }
  return weights;
}

/** Whether an If-None-Match header names this entity tag, weak or strong, or any (RFC 9110, 13.1.2). */
export function namesTag(ifNoneMatch: string, etag: string): boolean {
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || opaque(tag) === opaque(etag));
}
