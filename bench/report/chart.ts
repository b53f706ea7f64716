import type { ScaleCurve } from '../scenarios/scale.js';

const panelWidth = 380;
const panelHeight = 230;
const margin = { left: 56, right: 18, top: 34, bottom: 40 };
const columns = 2;
const ink = '#24292f';
const faint = '#d0d7de';
const line = '#0969da';

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

const number = (value: number): string => String(Math.round(value * 10) / 10);

/** A step of 1, 2 or 5 times a power of ten that divides `most` into about four. */
function stepFor(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => most / step <= 5) ?? 10 * power;
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', size = 11): string {
  return `<text x="${number(x)}" y="${number(y)}" text-anchor="${anchor}" font-size="${size}">${content}</text>`;
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
    text(left + margin.left, top + 18, `µs of CPU per tick against ${curve.against}`, 'start', 13),
  ];
  for (let value = 0; value <= most; value += stepFor(most)) {
    const y = number(scale.y(value));
    parts.push(
      `<line x1="${number(scale.x(0))}" x2="${number(scale.x(widest))}" y1="${y}" y2="${y}" stroke="${faint}"/>`,
      text(scale.x(0) - 6, scale.y(value) + 4, number(value), 'end'),
    );
  }
  const bottom = top + margin.top + height;
  for (const [place, { at }] of points.entries()) {
    const before = points[place - 1];
    // Labels that would run into each other are left out.
    if (before === undefined || scale.x(at) - scale.x(before.at) > 26)
      parts.push(text(scale.x(at), bottom + 16, String(at), 'middle'));
  }
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
