/** A column of a table for a terminal. */
export interface Column {
  readonly title: string;
  readonly isNumber?: true;
  /** Cells may be cut down to this width; absent: never. */
  readonly least?: number;
  /** When the table is too wide, columns without any content go first, then those with the highest rank; 0 stays. */
  readonly rank: number;
}

interface Placed extends Column {
  readonly cells: readonly string[];
  width: number;
}

const gap = '  ';
/** Text of an empty cell. */
export const blank = '-';
/** Characters that take two columns of a terminal: Chinese, Japanese, Korean and full-width forms. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;

/** A value of JSON on one line, without what a terminal would take for a command. */
export function cell(value: unknown): string {
  if (value === undefined || value === null || value === '') return blank;
  const written = typeof value === 'string' ? value : JSON.stringify(value);
  return written.replaceAll(/\p{Cc}/gu, ' ');
}

/** Columns of a terminal that the text takes. */
export function displayWidth(text: string): number {
  return Array.from(text).length + (text.match(wide)?.length ?? 0);
}

/** The text's beginning, with an ellipsis, where it is wider than `width`. */
export function clip(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width) break;
    kept += character;
  }
  return `${kept}…`;
}

function padded(text: string, { width, isNumber }: Placed): string {
  const clipped = clip(text, width);
  const fill = ' '.repeat(width - displayWidth(clipped));
  return isNumber === true ? fill + clipped : clipped + fill;
}

function totalWidth(columns: readonly Placed[]): number {
  return columns.reduce((sum, { width }) => sum + width + gap.length, -gap.length);
}

/** Cuts the widest cells that may be cut; false when nothing more can be. */
function narrow(columns: readonly Placed[], width: number): boolean {
  while (totalWidth(columns) > width) {
    const cuttable = columns.filter((each) => each.least !== undefined && each.width > each.least);
    if (cuttable.length === 0) return false;
    cuttable.reduce((widest, each) => (each.width > widest.width ? each : widest)).width--;
  }
  return true;
}

function leastWidth(columns: readonly Placed[]): number {
  return totalWidth(
    columns.map((each) => ({ ...each, width: Math.min(each.width, each.least ?? each.width) })),
  );
}

function toDrop(columns: readonly Placed[]): Placed | undefined {
  const optional = columns.filter((each) => each.rank > 0);
  const empty = optional.filter((each) => each.cells.every((text) => text === blank));
  return (empty.length > 0 ? empty : optional).sort((a, b) => b.rank - a.rank)[0];
}

/**
 * Lines of a table with a heading, at most `width` columns of the terminal wide as far as cutting long cells and leaving
 * whole columns out allows. `rows` have a text for each column.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  let placed: Placed[] = columns.map((column, index) => {
    const cells = rows.map((row) => row[index] ?? blank);
    return { ...column, cells, width: Math.max(...[column.title, ...cells].map(displayWidth)) };
  });
  for (;;) {
    const victim = leastWidth(placed) > width ? toDrop(placed) : undefined;
    if (victim === undefined) break;
    placed = placed.filter((each) => each !== victim);
  }
  narrow(placed, width);
  const line = (text: (column: Placed) => string): string =>
    placed
      .map((column) => padded(text(column), column))
      .join(gap)
      .trimEnd();
  return [line(({ title }) => title), ...rows.map((_, row) => line(({ cells }) => cells[row]!))];
}
