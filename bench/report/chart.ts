import type { ScaleCurve } from '../scenarios/scale.js';

const panelWidth = 420;
const panelHeight = 270;
const margin = { left: 56, right: 34, top: 52, bottom: 52 };
const columns = 2;
const ink = '#24292f';
const quiet = '#57606a';
const faint = '#d0d7de';
const line = '#0969da';

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

const number = (value: number): string => String(Math.round(value * 10) / 10);
const label = (value: number): string => value.toLocaleString('en-US');

/** A step of 1, 2 or 5 times a power of ten that divides `most` into about four. */
function stepFor(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => most / step <= 5) ?? 10 * power;
}

type Anchor = 'start' | 'middle' | 'end';

function text(x: number, y: number, content: string, anchor: Anchor, size = 11, colour = ink): string {
  return `<text x="${number(x)}" y="${number(y)}" text-anchor="${anchor}" font-size="${size}" fill="${colour}">${content}</text>`;
}

function panel(curve: ScaleCurve, left: number, top: number): string {
  const { points } = curve;
  const most = Math.max(...points.map(({ us_per_tick }) => us_per_tick.most)) * 1.1;
  const widest = Math.max(...points.map(({ at }) => at));
  const [width, height] = [panelWidth - margin.left - margin.right, panelHeight - margin.top - margin.bottom];
  const scale: Scale = {
    x: (value) => left + margin.left + (value / widest) * width,
    y: (value) => top + margin.top + height - (value / most) * height,
  };
  const parts = [
    text(left + margin.left, top + 20, `µs of CPU per tick against ${curve.against}`, 'start', 13),
    text(left + margin.left, top + 38, curve.conditions, 'start', 9, quiet),
  ];
  for (let value = 0; value <= most; value += stepFor(most)) {
    const y = number(scale.y(value));
    parts.push(
      `<line x1="${number(scale.x(0))}" x2="${number(scale.x(widest))}" y1="${y}" y2="${y}" stroke="${value === 0 ? quiet : faint}"/>`,
      text(scale.x(0) - 6, scale.y(value) + 4, label(value), 'end'),
    );
  }
  const bottom = top + margin.top + height;
  for (let value = 0; value <= widest; value += stepFor(widest)) {
    const x = number(scale.x(value));
    parts.push(
      `<line x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}" stroke="${quiet}"/>`,
      text(scale.x(value), bottom + 17, label(value), 'middle'),
    );
  }
  parts.push(text(scale.x(widest / 2), bottom + 34, curve.against, 'middle', 11, quiet));
  const path = points.map(
    ({ at, us_per_tick: { median } }) => `${number(scale.x(at))},${number(scale.y(median))}`,
  );
  parts.push(`<polyline points="${path.join(' ')}" fill="none" stroke="${line}" stroke-width="2"/>`);
  for (const {
    at,
    us_per_tick: { median, least, most: worst },
  } of points) {
    const x = number(scale.x(at));
    parts.push(
      `<line x1="${x}" x2="${x}" y1="${number(scale.y(least))}" y2="${number(scale.y(worst))}" stroke="${line}"/>`,
      `<circle cx="${x}" cy="${number(scale.y(median))}" r="3.5" fill="${line}"/>`,
    );
  }
  return parts.join('\n');
}

/** The curves as small charts in one SVG: medians as a line, least to greatest as bars. */
export function scaleChart(curves: readonly ScaleCurve[]): string {
  const rows = Math.ceil(curves.length / columns);
  const [width, height] = [columns * panelWidth, rows * panelHeight];
  const panels = curves.map((curve, index) =>
    panel(curve, (index % columns) * panelWidth, Math.floor(index / columns) * panelHeight),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" fill="${ink}">
<rect width="${width}" height="${height}" fill="#ffffff"/>
${panels.join('\n')}
</svg>
`;
}
