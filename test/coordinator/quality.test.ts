import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quality, type LineFacts, type QualityEvent } from '../../src/coordinator/measures/quality.js';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const good: LineFacts = { delayMs: 0, gapShare: 0, lateMs: 0 };
const unknown: LineFacts = { delayMs: NaN, gapShare: NaN, lateMs: NaN };
const observationMs = 5 * second;

/** A line's life: what happens to it, at which second, and what is measured of it from which second on. */
interface Life {
  readonly events?: readonly (readonly [number, QualityEvent])[];
  readonly facts?: readonly (readonly [number, Partial<LineFacts>])[];
}

const every = (seconds: number, from: number, to: number, event: QualityEvent): [number, QualityEvent][] =>
  Array.from({ length: Math.ceil((to - from) / seconds) }, (_, i) => [from + i * seconds, event]);

/** A line that falls silent: the age of its last tick grows. */
const silence = (from: number, to: number): [number, Partial<LineFacts>][] =>
  Array.from({ length: (to - from) / 5 }, (_, i) => [from + 5 * i, { lateMs: 5 * i * second }]);

function live({ events = [], facts = [] }: Life, until: number): Quality {
  const quality = new Quality();
  const queue = [...events];
  for (let at = 0; at <= until; at += observationMs / second) {
    while (queue.length > 0 && queue[0]![0] <= at) {
      const [when, event] = queue.shift()!;
      quality.record(event, when * second);
    }
    const newest = facts.filter(([from]) => from <= at).at(-1)?.[1] ?? {};
    quality.observe({ ...good, ...newest }, at * second);
  }
  return quality;
}

const goldenScenarios: readonly {
  readonly name: string;
  readonly lines: Readonly<Record<string, Life>>;
  readonly until: number;
  /** Best first; names that share a place have the same score. */
  readonly ranking: readonly string[];
}[] = [
  {
    name: 'a flapping line is behind one that was lost once',
    lines: {
      clean: {},
      once: { events: [[100, 'disconnect']] },
      flapping: { events: every(20, 0, 300, 'disconnect') },
    },
    until: 300,
    ranking: ['clean', 'once', 'flapping'],
  },
  {
    name: 'a line 200 ms behind is last, and a few ms count where the rest is alike',
    lines: {
      slow: { facts: [[0, { delayMs: 200 }]] },
      first: {},
      near: { facts: [[0, { delayMs: 4 }]] },
      far: { facts: [[0, { delayMs: 30 }]] },
    },
    until: 120,
    ranking: ['first', 'near', 'far', 'slow'],
  },
  {
    name: 'a line that drops 5 % of its ticks is behind one that is first and lost once, and one 20 ms late',
    lines: {
      dropping: { facts: [[0, { gapShare: 0.05 }]] },
      dropsFew: { facts: [[0, { gapShare: 0.002 }]] },
      late: { facts: [[0, { delayMs: 20 }]] },
      once: { events: [[60, 'disconnect']] },
      clean: {},
    },
    until: 240,
    ranking: ['clean', 'dropsFew', 'late', 'once', 'dropping'],
  },
  {
    name: 'a line that has been silent for a minute while others tick is behind all that deliver',
    lines: {
      silent: { facts: silence(120, 185) },
      slow: { facts: [[0, { delayMs: 200 }]] },
      dropping: { facts: [[0, { gapShare: 0.05 }]] },
      twice: {
        events: [
          [30, 'disconnect'],
          [90, 'disconnect'],
        ],
      },
      clean: {},
    },
    until: 180,
    ranking: ['clean', 'twice', 'slow', 'dropping', 'silent'],
  },
  {
    name: 'a line that refuses subscriptions is behind one that refused a single one',
    lines: {
      refusing: { events: every(1, 0, 60, 'refusal') },
      single: { events: [[10, 'refusal']] },
      clean: {},
    },
    until: 60,
    ranking: ['clean', 'single', 'refusing'],
  },
  {
    name: 'a line with login failures is behind one that was lost',
    lines: {
      failing: { events: every(60, 0, 300, 'login_failure') },
      lost: { events: [[200, 'disconnect']] },
      clean: {},
    },
    until: 300,
    ranking: ['clean', 'lost', 'failing'],
  },
  {
    name: 'a line that was bad and is good recovers, and stands before one that is bad now',
    lines: {
      recovered: {
        events: [...every(20, 0, 120, 'disconnect'), ...every(1, 0, 40, 'refusal')],
        facts: [
          [0, { delayMs: 500, gapShare: 0.1 }],
          [120, {}],
        ],
      },
      slow: { facts: [[0, { delayMs: 30 }]] },
      clean: {},
    },
    until: 60 * 60,
    ranking: ['clean=recovered', 'slow'],
  },
  {
    name: 'a line that was silent has most of its score back within a minute',
    lines: {
      silent: { facts: [...silence(60, 120), [120, {}]] },
      once: { events: [[175, 'disconnect']] },
      clean: {},
    },
    until: 180,
    ranking: ['clean', 'silent', 'once'],
  },
  {
    name: 'a single bad sample among good ones costs less than one disconnect',
    lines: {
      sample: {
        facts: [
          [100, { delayMs: 60_000 }],
          [105, {}],
        ],
      },
      once: { events: [[100, 'disconnect']] },
      clean: {},
    },
    until: 110,
    ranking: ['clean', 'sample', 'once'],
  },
];

describe('ranking by quality', () => {
  it.each(goldenScenarios)('$name', ({ lines, until, ranking }) => {
    const places = new Map<number, string[]>();
    for (const [name, life] of Object.entries(lines)) {
      const score = live(life, until).score(until * second);
      places.set(score, [...(places.get(score) ?? []), name]);
    }
    const found = [...places].sort(([a], [b]) => b - a).map(([, names]) => names.sort().join('='));
    expect(found).toEqual(ranking);
  });
});

describe('why', () => {
  it('names what is wrong, worst first, with figures', () => {
    const quality = live(
      {
        events: [
          [270, 'disconnect'],
          [275, 'disconnect'],
          [300, 'refusal'],
        ],
        facts: [[0, { delayMs: 35 }]],
      },
      300,
    );
    expect(quality.why(300 * second)).toBe('2 disconnects −28, 35 ms behind −14, 1 refusal −1');
    expect(quality.score(300 * second)).toBe(57);
  });

  it('gives each fact its unit', () => {
    const why = (facts: Partial<LineFacts>): string => live({ facts: [[0, facts]] }, 600).why(600 * second);
    expect(why({ delayMs: 2.24 })).toBe('2.2 ms behind −1');
    expect(why({ delayMs: 1500 })).toBe('1.5 s behind −38');
    expect(why({ gapShare: 0.05 })).toBe('5 % of ticks missed −35');
    expect(why({ lateMs: 45_000 })).toBe('last tick 45 s overdue −60');
  });

  it('names the worst of several that are too small to show by themselves', () => {
    const quality = live({ facts: [[0, { delayMs: 0.5, gapShare: 0.0003 }]] }, 600);
    expect(quality.score(600 * second)).toBe(99);
    expect(quality.why(600 * second)).toBe('0.03 % of ticks missed −1');
  });

  it('counts only the events that still weigh', () => {
    const quality = new Quality();
    quality.record('login_failure', 0);
    quality.record('login_failure', minute);
    expect(quality.why(minute)).toMatch(/^2 login failures −\d+$/);
    quality.record('login_failure', 2 * hour);
    expect(quality.why(2 * hour)).toBe('1 login failure −25');
  });
});

describe('an event', () => {
  it('costs no more than a certain number of points, however often it happens, and is forgotten in due time', () => {
    for (const [event, least] of [
      ['disconnect', 10],
      ['login_failure', 10],
      ['refusal', 60],
    ] as const) {
      const quality = new Quality();
      for (let i = 0; i < 1000; i++) quality.record(event, 0);
      expect(quality.score(0)).toBe(least);
      expect(quality.score(5 * minute)).toBe(50 + least / 2);
      expect(quality.score(hour)).toBe(100);
    }
  });
});

describe('a measured state', () => {
  it('is not swung by one bad sample, however long the one before is past', () => {
    const quality = live({}, 60);
    quality.observe({ ...good, delayMs: 60_000 }, 10 * minute);
    expect(quality.score(10 * minute)).toBe(88);
    const first = new Quality();
    first.observe({ ...good, delayMs: 60_000 }, 0);
    expect(first.score(0)).toBe(88);
  });

  it('follows the newest observations within a minute, both ways', () => {
    const life: Life = {
      facts: [
        [0, { delayMs: 65 }],
        [300, {}],
      ],
    };
    expect(live(life, 295).score(295 * second)).toBe(80);
    expect(live(life, 310).score(310 * second)).toBeLessThan(95);
    expect(live(life, 360).score(360 * second)).toBeGreaterThan(97);
  });

  it('stays for a while when it is no longer known, and fades then', () => {
    const quality = live({ facts: [[0, { delayMs: 65 }]] }, 300);
    for (let at = 305; at <= 360; at += 5) quality.observe(unknown, at * second);
    expect(quality.score(360 * second)).toBe(80);
    expect(quality.score(360 * second + 5 * minute)).toBe(90);
    expect(quality.score(3 * hour)).toBe(100);
  });

  it('may be infinite, and may be a minute old when it is observed again', () => {
    const quality = new Quality();
    for (let at = 0; at < 10; at++) {
      quality.observe({ ...unknown, delayMs: Infinity }, at * minute);
      expect(quality.score(at * minute)).toBeGreaterThanOrEqual(60);
    }
    expect(quality.score(9 * minute)).toBeLessThan(64);
    expect(quality.why(9 * minute)).toMatch(/ s behind −\d+$/);
  });
});

const event = fc.constantFrom<QualityEvent>('disconnect', 'login_failure', 'refusal');
const number = (max: number) =>
  fc.oneof(fc.constantFrom(NaN, 0, Infinity, -1), fc.double({ min: 0, max, noNaN: true }));
const facts = fc.record({ delayMs: number(1e5), gapShare: number(1), lateMs: number(1e6) });
const history = fc.array(
  fc.record({
    passedMs: fc.integer({ min: -10, max: 5 * minute }),
    event: fc.option(event),
    facts: fc.option(facts),
  }),
  { maxLength: 60 },
);

describe('at any time', () => {
  it('the score is an integer from 0 to 100, and why is empty at 100 alone', () => {
    fc.assert(
      fc.property(history, (moments) => {
        const quality = new Quality();
        let now = Date.UTC(2026, 0, 1);
        for (const moment of moments) {
          now += moment.passedMs;
          if (moment.event !== null) quality.record(moment.event, now);
          if (moment.facts !== null) quality.observe(moment.facts, now);
          const score = quality.score(now);
          expect(Number.isInteger(score) && score >= 0 && score <= 100).toBe(true);
          expect(quality.why(now) === '').toBe(score === 100);
          expect(quality.why(now)).not.toMatch(/NaN|Infinity|−0/);
        }
        expect(quality.score(now + 3 * hour)).toBe(100);
      }),
    );
  });

  it('a line to which more or worse things happen never has the better score', () => {
    const worse = fc.record({
      events: fc.array(event, { maxLength: 3 }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(history, fc.array(worse, { minLength: 60, maxLength: 60 }), (moments, additions) => {
        const better = new Quality();
        const other = new Quality();
        let now = 0;
        moments.forEach((moment, index) => {
          now += Math.max(0, moment.passedMs);
          const { events, factor } = additions[index]!;
          if (moment.event !== null) better.record(moment.event, now);
          for (const each of moment.event === null ? events : [moment.event, ...events])
            other.record(each, now);
          if (moment.facts !== null) {
            const { delayMs, gapShare, lateMs } = moment.facts;
            better.observe(moment.facts, now);
            other.observe(
              { delayMs: delayMs * factor, gapShare: gapShare * factor, lateMs: lateMs * factor },
              now,
            );
          }
          expect(other.score(now)).toBeLessThanOrEqual(better.score(now));
          expect(other.score(now + minute)).toBeLessThanOrEqual(better.score(now + minute));
        });
      }),
    );
  });

  it('without faults the score only rises', () => {
    fc.assert(
      fc.property(history, (moments) => {
        const quality = new Quality();
        let now = 0;
        for (const { passedMs, event: happened, facts: observed } of moments) {
          now += Math.max(0, passedMs);
          if (happened !== null) quality.record(happened, now);
          if (observed !== null) quality.observe(observed, now);
        }
        let score = quality.score(now);
        for (let step = 0; step < 100; step++) {
          now += minute;
          if (step % 3 === 0) quality.observe(good, now);
          expect(quality.score(now)).toBeGreaterThanOrEqual(score);
          score = quality.score(now);
        }
        expect(score).toBe(100);
      }),
    );
  });
});
