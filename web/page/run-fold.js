// The running model's matrices unfolded, cut and folded again: what folding loses (nothing), and what cutting does.
import { make } from './make.js';
import { figure } from './run-chart.js';
import { percent, table } from './run-show.js';

const number = (n) => n.toLocaleString('en');
const small = (x) => {
  if (x === 0) return '0';
  return x < 0.01 ? x.toExponential(1) : x.toFixed(2);
};
const time = ({ ms, n }) => `${ms.toFixed(1)} ms (median of ${n})`;
const relative = (x) => (x < 5e-4 ? small(x) : percent(x));

/** Builds the controls. `fold(bond)` asks the engine; with `null` nothing is cut. Returns what forgets the results. */
export function buildFold(box, fold) {
  const found = new Map();
  const range = make('input', { type: 'range', id: 'fold-bond-range', min: 0, max: 1, step: 1, disabled: '' });
  const value = make('output', { for: range.id });
  const cut = make('button', { type: 'button', id: 'fold-cut', disabled: '' }, 'Cut');
  const whole = make('button', { type: 'button', id: 'fold-whole' }, 'Unfold and fold');
  const every = make('button', { type: 'button', id: 'fold-every', disabled: '' }, 'Try them all');
  const results = make('div', { id: 'fold-results' });
  box.append(
    make('h3', {}, 'Fold it once more'),
    make('p', {}, 'Unfolds the matrices of the model’s layers into chains of five cores, folds them, and asks the model that comes of it the same questions. Then one sentence is timed, folded and as chains.'),
    whole,
    make('p', { class: 'bond' }, make('label', { for: range.id }, 'or cut every bond to at most'), range, value, cut, every),
    results,
  );
  // Powers of two: a bond of 2 against 3 differs more than one of 62 against 63.
  const bond = () => 2 ** Number(range.value);
  const say = () => { value.textContent = bond(); };
  range.addEventListener('input', say);
  const ask = async (wanted) => {
    const result = await fold(wanted);
    if (!result) return null;
    // The newest is the last.
    found.delete(wanted);
    found.set(wanted, result);
    if (range.disabled) {
      [range.max, range.value] = [Math.ceil(Math.log2(result.widest)) - 1, Math.ceil(Math.log2(result.widest)) - 2];
      range.disabled = cut.disabled = every.disabled = false;
      say();
    }
    const all = [...found.values()].sort((a, b) => (b.bond ?? Infinity) - (a.bond ?? Infinity));
    results.replaceChildren(figure(all, result, box.clientWidth - 16, summary(all, result), rows(all), HOW));
    return result;
  };
  whole.addEventListener('click', () => ask(null));
  cut.addEventListener('click', () => ask(bond()));
  every.addEventListener('click', async () => {
    for (let at = Number(range.max); at >= 0 && await ask(2 ** at);) at--;
  });
  return () => {
    found.clear();
    results.replaceChildren();
  };
}

const HOW = 'SVDs in f64 on the CPU; each bond keeps its largest singular values. The cores are multiplied in f64 and rounded to f32. Error: ‖W − W′‖ / ‖W‖ over all '
  + 'matrices together. Right answers: each sentence of the labelled set goes through the model on the device that is named above. Interval: Wilson’s. Latency: one sentence on that device; as chains, the cores lie there in f32 and are multiplied there before every run.';

/** What the figures say. */
function summary(all, last) {
  const words = [];
  const whole = all.find(({ bond }) => bond === null);
  if (whole) {
    const same = whole.error === 0 && whole.difference === 0 ? 'every one as it was, bit for bit'
      : `with a relative error of ${small(whole.error)}, and no logit moved by more than ${small(whole.difference)}`;
    words.push(`${whole.matrices} matrices of ${number(whole.of)} numbers became chains of ${number(whole.parameters)} and matrices again, ${same}. So the folded model needs no chains.`);
  }
  if (last.bond) {
    const { bond, parameters, of, error, right, n, interval } = last;
    words.push(`Cut to a bond of ${bond}, the chains have ${percent(parameters / of)} of the matrices’ numbers and an error of ${percent(error)}; ${right} of ${n} answers are right (${interval.map(percent).join(' to ')}). `
      + 'That is compression, the other use of such chains; OPF does not cut.');
  }
  const { latency: { folded, chain }, apart } = last;
  words.push(`Folded, a sentence takes ${time(folded)}. If the chains are kept and contracted before every sentence, it takes ${time(chain)}, `
    + `${(chain.ms / folded.ms).toFixed(1)} times as long, for the same answers: no logit differs by more than ${small(apart)}.`);
  return make('div', { class: 'finding', role: 'status' }, ...words.map((text) => make('p', {}, text)));
}

function rows(all) {
  const cells = all.map(({ bond, parameters, of, error, difference, right, n, interval, latency, apart }) => [
    bond === null ? 'not cut' : String(bond), number(parameters), percent(parameters / of), relative(error), small(difference),
    n ? `${right} of ${n}` : '–', n ? `${percent(right / n)} (${interval.map(percent).join(' to ')})` : '–',
    time(latency.folded), time(latency.chain), small(apart),
  ]);
  const head = ['bond', 'numbers in the chains', 'of the matrices', 'relative error', 'largest move of a logit', 'right', 'accuracy (95 %)', 'folded', 'as chains', 'difference of the two'];
  return make('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Chains cut and folded' }, table('Computed here', head, cells));
}
