// What the model answers, as markup. Texts go in as text, whatever they contain.
import { make } from './make.js';

/** Names of the export's models. */
export const kinds = { folded: 'Folded', plain: 'Fine-tuned plainly', before: 'Before fine-tuning', given: 'The model' };

export const percent = (part) => `${(100 * part).toFixed(1)} %`;
export const megabytes = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

const cell = (tag, content, attributes = {}) => make(tag, attributes, content);
/** A table; the first cell of a row is its head. */
export const table = (caption, head, rows) => make('table', {},
  make('caption', {}, caption),
  make('thead', {}, make('tr', {}, ...head.map((words) => cell('th', words, { scope: 'col' })))),
  make('tbody', {}, ...rows.map(([first, ...rest]) => make('tr', {}, cell('th', first, { scope: 'row' }), ...rest.map((content) => cell('td', content))))));

/** Probabilities of the classes, one row for each model. */
export function bars(labels, models) {
  const bar = (part) => {
    const fill = make('span', { class: 'fill', 'aria-hidden': 'true' });
    fill.style.inlineSize = percent(part).replace(' ', '');
    return make('span', { class: 'probability' }, make('b', {}, percent(part)), make('span', { class: 'track' }, fill));
  };
  const rows = models.map(({ kind, probabilities }) => [kinds[kind] ?? kind, ...probabilities.map(bar)]);
  return make('div', { class: 'answers' }, table('What each model makes of it', ['model', ...labels], rows));
}

/** The tokens that the models see, and what they do not. */
export function pieces({ pieces: seen, cut, cut_pieces: lost }) {
  const list = (tokens, words) => make('ul', { class: 'pieces', 'aria-label': words }, ...tokens.map((token) => make('li', {}, token)));
  const box = make('details', { id: 'run-pieces' }, make('summary', {}, `${seen.length} word pieces`), list(seen, 'Word pieces'),
    make('p', {}, '## continues a word; [UNK] is what the vocabulary has no pieces for; [CLS] and [SEP] mark the ends.'));
  if (!cut) return box;
  const more = cut > lost.length ? ` and ${cut - lost.length} more` : '';
  return make('div', {}, make('p', { id: 'run-cut' }, `Too long for the models: the last ${cut} pieces were cut off, from “${lost.slice(0, 6).join(' ')}” on${more}.`), box);
}

/** Right answers on the evaluation set. */
export function scores(results, dataset) {
  const rows = results.map(({ kind, right, n, interval }) => [kinds[kind] ?? kind, `${right} of ${n}`, percent(right / n), interval.map(percent).join(' to ')]);
  return make('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Right answers' }, table(`Right answers, computed here: ${dataset}`, ['model', 'right', 'accuracy', '95 % interval'], rows));
}

/** Everything that helps to understand a report of a fault. */
export function diagnostics(info, answered, kept) {
  const timed = (name) => {
    const device = info.devices[name];
    if (!device) return 'not tried';
    if (device.failed) return `failed: ${device.failed}`;
    const error = device.error === null ? 'nothing stored to compare with' : `largest error of a logit ${device.error.toExponential(1)}`;
    return `${device.ms.toFixed(2)} ms a sentence (median of ${device.n}), ${error}`;
  };
  const { gpu } = info;
  const lines = [
    ['model', `${info.manifest.name}, made by overfold ${info.manifest.made.overfold}, ${info.manifest.license}`],
    ...info.models.map(({ kind, parameters, trained, bytes }) => [kind, `${parameters} parameters${trained ? `, ${trained} while training` : ''}, ${megabytes(bytes)}`]),
    ['runs on', `${info.device}: ${info.why}`],
    ['cpu', `${timed('cpu')}, ${info.fused ? 'with' : 'without'} a fused multiply-add`],
    ['gpu', timed('gpu')],
    ['adapter', gpu.name ? `${gpu.name}${gpu.software ? ' (computed by the CPU)' : ''}, ${gpu.backend}` : 'none'],
    ['limits', Object.entries(gpu.limits ?? {}).map(([name, value]) => `${name} ${value}`).join(', ') || 'unknown'],
    ['features', gpu.features?.join(', ') || 'unknown'],
    ['last text', answered ? `${answered.ms.toFixed(2)} ms (median of ${answered.n}), ${answered.pieces.length} pieces` : 'none'],
    ['downloaded', `${info.bytes.total - info.bytes.cached} bytes, ${info.bytes.cached} were kept from before`],
    ['kept', kept === null ? 'nothing; the browser does not allow it' : `${kept} bytes`],
    ['notes', [...info.notes, ...info.failures].join(' ') || 'none'],
    ['browser', info.agent],
  ];
  return lines.map(([name, value]) => `${name}: ${value}`).join('\n');
}
