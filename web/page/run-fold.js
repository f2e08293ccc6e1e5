// The running model's matrices unfolded, cut and folded again: what folding loses (nothing), and what cutting does.
import { make } from './make.js';
import { percent, table } from './run-show.js';

const number = (n) => n.toLocaleString('en');
const small = (x) => (x === 0 ? '0' : x.toExponential(1));

/** Builds the controls. `fold(bond)` asks the engine; with `null` nothing is cut. Returns what forgets the results. */
export function buildFold(box, fold) {
  const found = new Map();
  const range = make('input', { type: 'range', id: 'fold-bond-range', min: 0, max: 1, step: 1, disabled: '' });
  const value = make('output', { for: range.id });
  const cut = make('button', { type: 'button', id: 'fold-cut', disabled: '' }, 'Cut');
  const whole = make('button', { type: 'button', id: 'fold-whole' }, 'Unfold and fold');
  const results = make('div', { id: 'fold-results' });
  box.append(
    make('h3', {}, 'Fold it once more'),
    make('p', {}, 'Unfolds the matrices of the model’s layers into chains of five cores, folds them, and asks the model that comes of it the same questions.'),
    whole,
    make('p', { class: 'bond' }, make('label', { for: range.id }, 'or cut every bond to at most'), range, value, cut),
    results,
  );
  // Powers of two: a bond of 2 against 3 differs more than one of 62 against 63.
  const bond = () => 2 ** Number(range.value);
  const say = () => { value.textContent = bond(); };
  range.addEventListener('input', say);
  const ask = async (wanted) => {
    const result = await fold(wanted);
    if (!result) return;
    found.set(wanted ?? Infinity, result);
    if (range.disabled) {
      [range.max, range.value] = [Math.ceil(Math.log2(result.widest)) - 1, Math.ceil(Math.log2(result.widest)) - 2];
      range.disabled = cut.disabled = false;
      say();
    }
    results.replaceChildren(summary(found), rows(found));
  };
  whole.addEventListener('click', () => ask(null));
  cut.addEventListener('click', () => ask(bond()));
  return () => {
    found.clear();
    results.replaceChildren();
  };
}

/** What the figures say. */
function summary(found) {
  const words = [];
  const whole = found.get(Infinity);
  if (whole) {
    const same = whole.error === 0 && whole.difference === 0 ? 'every one as it was, bit for bit'
      : `with a relative error of ${small(whole.error)}, and no logit moved by more than ${small(whole.difference)}`;
    words.push(`${whole.matrices} matrices of ${number(whole.of)} numbers became chains of ${number(whole.parameters)} and matrices again, ${same}. So the folded model needs no chains.`);
  }
  const cuts = [...found].filter(([bond]) => bond !== Infinity).sort(([a], [b]) => b - a);
  if (cuts.length) {
    const [bond, { parameters, of, right, n }] = cuts.at(-1);
    words.push(`Cut to a bond of ${bond}, the chains have ${percent(parameters / of)} of the matrices’ numbers, and ${right} of ${n} answers are right. That is compression, the other use of such chains; OPF does not cut.`);
  }
  return make('p', { class: 'finding', role: 'status' }, words.join(' '));
}

function rows(found) {
  const sorted = [...found].sort(([a], [b]) => b - a);
  const cells = sorted.map(([bond, { parameters, of, error, difference, right, n, interval }]) => [
    bond === Infinity ? 'not cut' : String(bond), number(parameters), percent(parameters / of), small(error), small(difference),
    n ? `${right} of ${n}` : '–', n ? `${percent(right / n)} (${interval.map(percent).join(' to ')})` : '–',
  ]);
  const head = ['bond', 'numbers in the chains', 'of the matrices', 'relative error', 'largest move of a logit', 'right', 'accuracy (95 %)'];
  return make('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Chains cut and folded' }, table('Computed here', head, cells));
}
