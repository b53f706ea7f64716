import { environmentName } from './environment.js';
import { connectionOptions, gatewayOptions, type Option, type OptionTable } from './options.js';

function presetOf(option: Option<unknown>): string {
  if (option.default === undefined) return 'required';
  if (option.default === '') return 'empty';
  return `\`${JSON.stringify(option.default)}\``;
}

/** Text inside a Markdown table's cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function rows(
  table: OptionTable,
  columns: (path: string, option: Option<unknown>) => readonly string[],
): string[] {
  return Object.entries(table).map(([path, option]) => `| ${columns(path, option).map(cell).join(' | ')} |`);
}

function renderTable(heading: readonly string[], body: readonly string[]): string {
  return [`| ${heading.join(' | ')} |`, `|${' --- |'.repeat(heading.length)}`, ...body].join('\n');
}

/** The file's keys as a Markdown table, for docs/configuration.md. A key with a dot is one inside a section. */
export function renderGatewayOptions(): string {
  return renderTable(
    ['Key', 'Default', 'Unit', 'Allowed', 'Reload', 'What it does', 'Environment variable'],
    rows(gatewayOptions, (path, option) => [
      `\`${path}\``,
      presetOf(option),
      option.unit ?? '',
      option.format.allowed,
      option.reload,
      option.doc,
      `\`${environmentName(path)}\``,
    ]),
  );
}

/** The keys of an entry of connections[] as a Markdown table, for docs/configuration.md. */
export function renderConnectionOptions(): string {
  return renderTable(
    ['Key', 'Default', 'Unit', 'Allowed', 'Reload', 'What it does'],
    rows(connectionOptions, (path, option) => [
      `\`${path}\``,
      presetOf(option),
      option.unit ?? '',
      option.format.allowed,
      option.reload,
      option.doc,
    ]),
  );
}
