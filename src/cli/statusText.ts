import { isRecord } from '../config/record.js';
import { blank, cell, clip, tableLines, type Column } from './textTable.js';

/** Parts that a gateway of another version may omit. */
type Row = Readonly<Record<string, unknown>>;

/** Instruments in trouble that are named. */
const mostFailed = 10;

const connectionColumns: readonly Column[] = [
  { title: 'id', least: 12, rank: 0 },
  { title: 'broker', least: 8, rank: 3 },
  { title: 'state', rank: 0 },
  { title: 'quality', isNumber: true, rank: 0 },
  { title: 'why', least: 12, rank: 2 },
  { title: 'lines', isNumber: true, rank: 0 },
  { title: 'ticks/s', isNumber: true, rank: 0 },
  { title: 'p50/p99 ms', isNumber: true, rank: 5 },
  { title: 'reconnects', isNumber: true, rank: 4 },
  { title: 'last error', least: 12, rank: 1 },
];

const brokerColumns: readonly Column[] = [
  { title: 'broker', least: 10, rank: 0 },
  { title: 'connections', isNumber: true, rank: 1 },
  { title: 'ticks', isNumber: true, rank: 2 },
  { title: 'first', isNumber: true, rank: 0 },
  { title: 'p50/p99 ms', isNumber: true, rank: 0 },
];

function recordsOf(value: unknown): Row[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** One decimal where it says something. */
function figure(value: unknown): string {
  const known = numberOf(value);
  if (known === undefined) return blank;
  return Math.abs(known) < 100 && !Number.isInteger(known) ? known.toFixed(1) : String(Math.round(known));
}

function milliseconds(value: unknown): string {
  const known = numberOf(value);
  return known === undefined ? blank : known.toFixed(known < 100 ? 1 : 0);
}

function delay({ delay_p50_ms: p50, delay_p99_ms: p99 }: Row): string {
  const both = [p50, p99].map(milliseconds);
  return both.every((each) => each === blank) ? blank : both.join('/');
}

function share(value: unknown): string {
  const known = numberOf(value);
  return known === undefined ? blank : `${(known * 100).toFixed(1)} %`;
}

function brokerOf({ broker_name: name, broker_id: id }: Row): string {
  return cell(name === '' || name === undefined ? id : name);
}

function connectionRow(row: Row): string[] {
  return [
    cell(row['id']),
    brokerOf(row),
    cell(row['state']),
    figure(row['quality']),
    cell(row['why']),
    `${figure(row['subscriptions'])}/${figure(row['max_subscriptions'])}`,
    figure(row['ticks_per_s']),
    delay(row),
    figure(row['reconnects']),
    // What is wrong now counts more than what was.
    cell(row['reason'] === '' || row['reason'] === undefined ? row['last_error'] : row['reason']),
  ];
}

function brokerRow(row: Row): string[] {
  return [
    brokerOf(row),
    figure(row['connections']),
    figure(row['ticks']),
    share(row['first_share']),
    delay(row),
  ];
}

/** The two largest units: 2 h 13 min. */
function duration(value: unknown): string {
  const seconds = numberOf(value);
  if (seconds === undefined) return blank;
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

function instrumentLine(counts: Row): string {
  const of = (key: string): string => `${figure(counts[key])} ${key}`;
  const { cancelled, short } = counts;
  const states = ['active', 'subscribing', 'pending', 'failed'].map(of);
  return [
    `instruments: ${of('wanted')}, of them ${states.join(', ')}`,
    ...(numberOf(short) ? [`${figure(short)} with fewer lines than redundancy asks for`] : []),
    ...(numberOf(cancelled) ? [`${of('cancelled')}, not wanted any more`] : []),
  ].join('; ');
}

/** Where ticks are stored at all. */
function storageLines(redis: unknown): string[] {
  if (!isRecord(redis) || redis['enabled'] !== true) return [];
  const { trouble, connected, latency } = redis;
  const up = connected === true ? `connected, ${cell(latency)}` : 'not connected';
  const waiting = (numberOf(redis['waiting']) ?? 0) + (numberOf(redis['spilled']) ?? 0);
  const state = trouble === '' || trouble === undefined ? up : cell(trouble);
  return [
    `redis: ${state}; ${figure(redis['stored'])} ticks stored, ${waiting} wait, ${figure(redis['lost'])} lost`,
  ];
}

function troubleLines(report: Row, counts: Row): string[] {
  const waiting = Array.isArray(report['waiting']) ? report['waiting'].map(cell) : [];
  const failed = recordsOf(report['failed']);
  const moreFailed =
    Math.max(numberOf(counts['failed']) ?? 0, failed.length) - Math.min(failed.length, mostFailed);
  return [
    ...(waiting.length === 0 ? [] : [`waiting: ${waiting.join(', ')}`]),
    ...failed
      .slice(0, mostFailed)
      .map(({ id, code, text }) => `failed: ${cell(id)}: ${cell(text)} (${cell(code)})`),
    ...(moreFailed > 0 ? [`failed: ${moreFailed} more`] : []),
  ];
}

/** The answer of /api/status for people, in lines of at most `width` columns of the terminal, 80 or more. */
export function renderStatus(report: Row, width: number): string {
  const connections = recordsOf(report['connections']);
  const brokers = recordsOf(report['brokers']);
  const counts = isRecord(report['instruments']) ? report['instruments'] : {};
  const loggedIn = connections.filter(({ state }) => state === 'logged_in').length;
  const head = [
    `${cell(report['status'])}: version ${cell(report['version'])}`,
    ...('pid' in report ? [`process ${cell(report['pid'])}`] : []),
    `up ${duration(report['uptime_s'])}`,
    cell(report['strategy']),
    `redundancy ${cell(report['redundancy'])}`,
  ].join(', ');
  return [
    clip(head, width),
    clip(`connections: ${loggedIn} of ${connections.length} logged in`, width),
    clip(instrumentLine(counts), width),
    ...[...storageLines(report['redis']), ...troubleLines(report, counts)].map((line) => clip(line, width)),
    '',
    ...tableLines(connectionColumns, connections.map(connectionRow), width),
    ...(brokers.length === 0 ? [] : ['', ...tableLines(brokerColumns, brokers.map(brokerRow), width)]),
  ].join('\n');
}
