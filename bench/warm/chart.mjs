// The latencies as a bar chart, in SVG: medians on a logarithmic scale, since they span three decades.

const WIDTH = 760;
const LABEL_WIDTH = 190;
const BAR_HEIGHT = 20;
const ROW_HEIGHT = 28;
const TITLE_HEIGHT = 34;
const RIGHT = 90;
const DECADES = [0.1, 1, 10, 100, 1000];
const COLOURS = { warm: '#1a7f37', cold: '#0969da' };

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function position(milliseconds) {
  const [first] = DECADES;
  const last = DECADES.at(-1);
  const share = Math.log(Math.max(milliseconds, first) / first) / Math.log(last / first);
  return share * (WIDTH - LABEL_WIDTH - RIGHT);
}

function bar({ contender, milliseconds }, y) {
  const width = position(milliseconds.median);
  const whisker = LABEL_WIDTH + position(milliseconds.p95);
  const middle = y + BAR_HEIGHT / 2;
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${escape(contender)}</text>`,
    `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${COLOURS[contender] ?? '#8c959f'}"/>`,
    `<line x1="${(LABEL_WIDTH + width).toFixed(1)}" x2="${whisker.toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#57606a"/>`,
    `<text x="${(whisker + 6).toFixed(1)}" y="${middle + 4}">${milliseconds.median.toFixed(2)} ms</text>`,
  ].join('\n');
}

/**
 * @param {{ task: string, figures: { contender: string, milliseconds: { median: number, p95: number } }[] }[]} latency
 * @returns {string} the SVG
 */
export function latencyChart(latency) {
  const parts = [];
  let y = 0;
  for (const { task, figures } of latency) {
    parts.push(
      `<text x="${LABEL_WIDTH}" y="${y + 22}" font-weight="bold">safeExec, ${escape(task)}</text>`,
    );
    y += TITLE_HEIGHT;
    for (const figure of figures) {
      parts.push(bar(figure, y));
      y += ROW_HEIGHT;
    }
  }
  const grid = DECADES.map((value) => {
    const x = LABEL_WIDTH + position(value);
    return `<line x1="${x}" x2="${x}" y1="${TITLE_HEIGHT}" y2="${y}" stroke="#d0d7de"/><text x="${x}" y="${y + 16}" text-anchor="middle" fill="#57606a">${value} ms</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 46}" viewBox="0 0 ${WIDTH} ${y + 46}" font-family="sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...grid,
    ...parts,
    `<text x="${LABEL_WIDTH}" y="${y + 36}" fill="#57606a">median, and a line to the 95th percentile; logarithmic</text>`,
    '</svg>',
    '',
  ].join('\n');
}
