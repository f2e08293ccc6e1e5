// The panel that runs the model: loads it when asked to, and shows what it answers. All it knows comes from engine.js.
import { MANIFEST, demo } from './demo.js';
import { Fault, forget, keptBytes, load } from './engine.js';
import { lend } from './figures.js';
import { $, make } from './make.js';
import { keep } from './offline.js';
import { buildFold } from './run-fold.js';
import { bars, diagnostics, kinds, megabytes, percent, pieces, scores } from './run-show.js';

const EXAMPLES = ['A wonderful film, funny and honest.', 'I wanted to like it, but the story is dull.', 'Not bad at all.'];
const PHASES = {
  download: 'Downloading the model', compile: 'Compiling the engine', open: 'Putting the models on the device',
  test: 'Testing the device against stored results', time: 'Measuring the device', evaluate: 'Classifying',
};

const button = (words, act, attributes = {}) => {
  const element = make('button', { type: 'button', ...attributes }, words);
  element.addEventListener('click', act);
  return element;
};

const status = make('p', { id: 'run-status', role: 'status' });
const where = make('p', { id: 'run-where', role: 'status' });
const bar = make('progress', { id: 'run-progress', 'aria-label': 'Progress', hidden: '' });
const start = button('Load the model', open, { id: 'run-load', class: 'main' });
const stop = button('Cancel', () => control.abort(), { id: 'run-stop', hidden: '' });
const device = make('select', { id: 'run-device' }, ...[['auto', 'the faster one'], ['gpu', 'the GPU'], ['cpu', 'the CPU']].map(([value, words]) => make('option', { value }, words)));
const text = make('textarea', { id: 'run-text', rows: 3, spellcheck: 'true' });
const answer = make('div', { id: 'run-answer' });
const check = button('Check', evaluate, { id: 'run-check' });
const checked = make('div', { id: 'run-scores' });
const report = make('pre', { id: 'run-report', tabindex: 0, role: 'region', 'aria-label': 'Diagnostics' });
const kept = button('Delete downloaded data', erase, { id: 'run-forget' });
const foldBox = make('fieldset', { id: 'run-fold' });
const forgetFolds = buildFold(foldBox, (bond) => busy(async (options) => {
  const found = await engine.fold(bond, options);
  say('');
  return found;
}));
const live = make('div', { id: 'run-live', hidden: '' },
  make('label', { for: 'run-text' }, 'Your text'), text,
  make('p', { class: 'presets' }, ...EXAMPLES.map((words) => button(words, () => { text.value = words; ask(); }))),
  answer,
  make('div', { id: 'run-evaluation' }, make('h3', {}, 'How often is it right?'), check, checked),
  foldBox,
  make('details', {}, make('summary', { id: 'run-diagnostics' }, 'Diagnostics'), report, button('Copy as text', copy), ' ', kept));

let engine = null;
let control = new AbortController();
let answered = null;
let bytes = null;

/** What the address says about the device; the lesson keeps what it does not know. */
const asked = () => new URLSearchParams(location.hash.slice(1)).get('device');

function build(panel) {
  device.value = ['cpu', 'gpu'].includes(asked()) ? asked() : 'auto';
  panel.append(make('div', { class: 'start' }, make('label', { for: 'run-device' }, 'Run on'), device, start, stop), bar, status, where, live);
  text.addEventListener('input', ask);
  device.addEventListener('change', () => engine && open());
  // The size is told before anything is downloaded; nobody who does not come here asks for it.
  const near = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    near.disconnect();
    about().catch(({ kind, message }) => {
      say(kind === 'missing' ? 'There is no model on this page. Whoever hosts it can add one: see docs/hosting.md.' : message);
      start.disabled = kind === 'missing';
    });
  }, { rootMargin: '400px' });
  near.observe(panel);
}

async function about() {
  const { manifest: { models, files } } = await demo();
  const size = models.flatMap(({ weights }) => weights).reduce((sum, name) => sum + files[name].bytes, 0);
  start.textContent = `Load the model (${megabytes(size)} and the engine)`;
}

const say = (words) => { status.textContent = words; };

/** Runs `work` with a progress bar and a button that ends it; tells what went wrong. */
async function busy(work) {
  control = new AbortController();
  [start.hidden, stop.hidden, check.disabled, foldBox.disabled] = [true, false, true, true];
  const onProgress = ({ phase, loaded, total }) => {
    bar.hidden = false;
    say(`${PHASES[phase]} …`);
    // Indeterminate where nobody knows how long it takes.
    if (total) [bar.max, bar.value] = [total, loaded];
    else bar.removeAttribute('value');
  };
  try {
    return await work({ signal: control.signal, onProgress });
  } catch (error) {
    say(error instanceof Fault ? error.message : `Something is wrong with the page itself: ${error.message}`);
  } finally {
    [bar.hidden, start.hidden, stop.hidden, check.disabled, foldBox.disabled] = [true, Boolean(engine), true, false, false];
  }
}

function open() {
  engine?.dispose();
  engine = null;
  lend(null);
  where.textContent = '';
  live.hidden = true;
  return busy(async (options) => {
    engine = await load(MANIFEST, { ...options, device: device.value, onChange: ready });
    ready();
    keep(engine.info().resources.filter((address) => !address.startsWith(new URL('.', MANIFEST))));
    if (!text.value) text.value = EXAMPLES[0];
    live.hidden = false;
    ask();
  });
}

/** Says where it runs and why; also after it had to start again. */
function ready() {
  const info = engine?.info();
  if (!info) return;
  lend(engine);
  const again = info.failures.length ? 'It had to start again. ' : '';
  say('');
  where.textContent = `${again}Runs on ${info.device === 'gpu' ? 'the GPU by WebGPU' : 'the CPU'}: ${info.why}. ${info.device === 'gpu' ? 'The figures above are multiplied out there too. ' : ''}${info.notes.join(' ')}`;
  check.textContent = info.evaluation ? `Check on ${info.evaluation.texts} sentences` : '';
  $('#run-evaluation').hidden = !info.evaluation;
  checked.replaceChildren();
  forgetFolds();
  foldBox.hidden = !info.evaluation;
  count();
}

let asking = false;

/** Answers what stands in the field; while it works only the newest text counts. */
async function ask() {
  if (asking) return;
  asking = true;
  try {
    for (let of; engine && of !== text.value;) {
      of = text.value;
      answered = await engine.classify(of);
    }
    if (engine) show();
  } catch (error) {
    say(error.message);
  } finally {
    asking = false;
  }
}

function show() {
  const { manifest, models } = engine.info();
  answer.replaceChildren(
    bars(manifest.labels, answered.models),
    make('p', { id: 'run-time' }, `${answered.ms.toFixed(1)} ms for one model (median of ${answered.n}), all of them have ${models[0].parameters.toLocaleString('en')} parameters.`),
    pieces(answered),
  );
  tell();
}

function evaluate() {
  return busy(async (options) => {
    const results = await engine.evaluate(options);
    checked.replaceChildren(scores(results, engine.info().evaluation.dataset));
    const [first] = results;
    say(`${kinds[first.kind]}: ${first.right} of ${first.n} right, ${percent(first.right / first.n)}.`);
  });
}

function tell() {
  if (engine) report.textContent = diagnostics(engine.info(), answered, bytes);
}

async function count() {
  bytes = await keptBytes();
  kept.disabled = !bytes;
  kept.textContent = bytes ? `Delete downloaded data (${megabytes(bytes)})` : 'Nothing is kept by the browser';
  tell();
}

async function copy({ target }) {
  const words = target.textContent;
  const done = await navigator.clipboard.writeText(report.textContent).then(() => 'Copied', () => 'The browser did not allow it');
  target.textContent = done;
  setTimeout(() => { target.textContent = words; }, 1500);
}

async function erase() {
  await forget();
  say('Deleted. The model goes on running until you leave the page.');
  await count();
}

build($('#engine'));
