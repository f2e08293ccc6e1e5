// Bond against error and bond against accuracy, drawn from what was found by cutting.
import { $, make } from './make.js';
import { percent } from './run-show.js';

const HEIGHT = 120;
const STEP = 172;
const LEFT = 58;

/** The bond at which a result stands: the widest that there was, if nothing was cut. */
const bondOf = ({ bond, widest }) => bond ?? widest;

/** SVG of both charts, `width` pixels wide; `last` has a ring around it. */
export function chart(results, last, width) {
  const wide = Math.min(Math.max(width, 260), 720);
  const top = Math.log2(Math.max(...results.map(({ widest }) => widest), 2));
  const x = (result) => LEFT + 14 + (wide - LEFT - 44) * Math.log2(bondOf(result)) / top;
  const panel = (base, title, value, interval) => {
    const y = (part) => base + 34 + HEIGHT * (1 - part);
    const levels = [0, 0.25, 0.5, 0.75, 1].map((part) => `<line class="grid" x1="${LEFT}" x2="${wide}" y1="${y(part)}" y2="${y(part)}"/>
      <text class="small" text-anchor="end" x="${LEFT - 6}" y="${y(part) + 4}">${100 * part} %</text>`);
    const line = `<polyline class="curve" points="${results.map((result) => `${x(result).toFixed(1)},${y(value(result)).toFixed(1)}`).join(' ')}"/>`;
    const marks = results.map((result) => {
      const [at, level] = [x(result).toFixed(1), y(value(result)).toFixed(1)];
      const [low, high] = interval ? interval(result).map((part) => y(part).toFixed(1)) : [];
      const ends = interval ? `<path class="span" d="M${at - 5} ${low}h10M${at} ${low}V${high}M${at - 5} ${high}h10"/>` : '';
      return `${ends}<circle class="dot" cx="${at}" cy="${level}" r="4"/>${result === last ? `<circle class="ring" cx="${at}" cy="${level}" r="8"/>` : ''}`;
    });
    const names = results.map((result) => `<text class="small" text-anchor="middle" x="${x(result).toFixed(1)}" y="${y(0) + 18}">${result.bond ?? 'full'}</text>`);
    return `<g class="panel"><text class="strong" x="0" y="${base + 16}">${title}</text>${[...levels, ...names, line, ...marks].join('')}</g>`;
  };
  const parts = [
    panel(0, 'Error of the matrices, by bond', ({ error }) => error),
    panel(STEP + 14, 'Right answers, 95 % interval', ({ right, n }) => right / n, ({ interval }) => interval),
  ];
  const height = 2 * STEP + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${height}" width="${wide}" height="${height}" role="img" aria-label="${label(results)}">
    ${parts.join('')}</svg>`;
}

function label(results) {
  const parts = results.map(({ bond, error, right, n }) => `${bond ? `bond ${bond}` : 'not cut'}: error ${percent(error)}, ${percent(right / n)} right`);
  return `Two charts over the bond. ${parts.join('; ')}.`;
}

/** A figure as the lesson has them; `caption` is an element, `numbers` a table, `how` words. */
export function figure(results, last, width, caption, numbers, how) {
  const button = (what, words) => make('button', { type: 'button', 'data-copy': what }, words);
  const picture = make('div', { class: 'picture' });
  picture.innerHTML = chart(results, last, width);
  return make('figure', { id: 'fig-bonds' }, picture, make('figcaption', {}, caption),
    make('div', { class: 'more' },
      make('details', { class: 'numbers', open: '' }, make('summary', {}, 'Show numbers'), numbers, button('csv', 'Copy as CSV')),
      make('details', { class: 'how' }, make('summary', {}, 'How was this computed?'), make('p', {}, how)),
      button('svg', 'Copy picture as SVG')));
}
