// The page's side of the lesson: builds controls, asks the worker, puts its markup in place. No arithmetic in here.

import { connect, multiply, renew } from './figures.js';
import { buildFile, showFile } from './file.js';
import { $, $$, make } from './make.js';
import { keep } from './offline.js';
import './sheet.js';
import { buildSteps, showSteps } from './step.js';

const root = document.documentElement;

// Controls stand in the page as words only, since they are of no use without script.

function buildNumber(box) {
  const name = box.dataset.number;
  const words = box.textContent;
  const step = (by, sign) => make('button', { type: 'button', 'data-by': by, 'aria-label': `${words}: ${by > 0 ? 'one more' : 'one fewer'}` }, sign);
  const range = make('input', { type: 'range', id: `${name}-range`, 'data-control': name, step: 1 });
  const number = make('input', { type: 'number', id: name + '-number', 'data-control': name, step: 1, inputmode: 'numeric' });
  if ('plain' in box.dataset) {
    box.replaceChildren(make('label', { for: number.id }, words), number);
    return;
  }
  number.setAttribute('aria-label', `${words}, as a number`);
  box.replaceChildren(make('label', { for: range.id }, words), step(-1, '−'), range, step(1, '+'), number);
  for (const button of $$('button', box)) {
    button.addEventListener('click', () => {
      // Shown at once, so that the next click counts from here.
      range.value = Number(range.value) + Number(button.dataset.by);
      set(name, range.value);
    });
  }
}

function buildText(box) {
  const name = box.dataset.text ?? box.dataset.entry;
  const input = make('input', { type: 'text', id: name, 'data-control': name, spellcheck: 'false', autocomplete: 'off', 'aria-describedby': `${name}-error` });
  if (box.dataset.entry) input.inputMode = 'numeric';
  box.replaceChildren(make('label', { for: name }, box.textContent), input, make('p', { id: `${name}-error`, class: 'error', hidden: '' }));
}

function buildChoice(box) {
  const name = box.dataset.choice;
  const options = box.dataset.options.split('|').map((option) => {
    const [value, words] = option.split(': ');
    return make('label', {}, make('input', { type: 'radio', name, value, 'data-control': name }), words);
  });
  box.replaceChildren(make('fieldset', {}, make('legend', {}, box.textContent), ...options));
}

$$('[data-number]').forEach(buildNumber);
$$('[data-text], [data-entry]').forEach(buildText);
$$('[data-choice]').forEach(buildChoice);
buildFile($('#own'), (request) => ask(request));

// One question to the worker at a time. Of what is asked for meanwhile, the newest value of each control counts.

let worker;
let waiting = false;
let changes = new Map();
let next = null;
let patience;

function ask(request) {
  if (request.set) request.set.changes.forEach(([name, value]) => changes.set(name, value));
  else next = request;
  send();
}

function send() {
  if (!worker || waiting) return;
  if (next) worker.postMessage(next);
  else if (changes.size) worker.postMessage({ set: { changes: [...changes] } });
  else return;
  if (next) next = null;
  else changes = new Map();
  waiting = true;
  root.classList.add('busy');
  patience = setTimeout(() => { $('#working').hidden = false; }, 400);
}

/** Ends what takes too long: the worker with it. A new one starts from the address. */
function stop() {
  worker.terminate();
  done();
  [changes, next] = [new Map(), null];
  start();
}

function done() {
  waiting = false;
  clearTimeout(patience);
  $('#working').hidden = true;
  root.classList.remove('busy');
}

const set = (name, value) => ask({ set: { changes: [[name, String(value)]] } });
buildSteps(set);

/** Width at hand for a figure. */
const width = () => $('main').clientWidth - 2 * parseFloat(getComputedStyle($('main')).paddingLeft);

function start() {
  // A worker from a `blob:` obeys the page's Content-Security-Policy; one from a file would obey none.
  const script = new Blob([`import '${new URL('worker.js', import.meta.url)}'`], { type: 'text/javascript' });
  worker = new Worker(URL.createObjectURL(script), { type: 'module' });
  worker.onmessage = ({ data }) => receive(data);
  worker.onerror = (event) => fail(event.message || 'the worker could not be loaded');
  connect((...message) => worker?.postMessage(...message));
  ask({ open: { hash: location.hash, width: width() } });
}

function fail(reason) {
  note([`The figures stay as they are: ${reason}`]);
  worker?.terminate();
  worker = undefined;
  done();
  root.classList.remove('live');
}

async function receive(reply) {
  if (reply.loaded) return keep(reply.loaded);
  if (reply.failure) return fail(reply.failure);
  // Between the answers, whenever the GPU has time.
  if ('work' in reply) return multiply(reply.work);
  if ('multiplied' in reply) return reply.multiplied && show(reply.multiplied);
  if (reply.refused) {
    note([reply.refused]);
    done();
    return send();
  }
  for (const figure of reply.figures) {
    show(figure);
    // Many figures at once would block the page.
    if (reply.figures.length > 3) await new Promise((go) => setTimeout(go));
  }
  renew(reply.figures.map(({ id }) => id));
  showFile(reply.file, reply.controls[0].value === 'own');
  const errors = new Map(reply.errors);
  reply.controls.forEach((control) => fill(control, errors.get(control.name)));
  showSteps(reply);
  root.classList.toggle('embed', Boolean(reply.embed));
  root.classList.add('live');
  land();
  done();
  address = reply.hash;
  // Not while more is on its way: the address follows when the hand rests.
  if (!changes.size && !next) {
    keepAddress();
    if (reply.notes.length) note(reply.notes);
    say(reply);
  }
  send();
}

/** Goes to the place in the address once more: controls and figures of another size have moved it since the page was opened. */
function land() {
  if (landed) return;
  landed = true;
  document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: 'instant' });
}
/** Also once the visitor has moved by herself. */
let landed = false;
for (const event of ['wheel', 'touchmove', 'pointerdown', 'keydown']) addEventListener(event, () => { landed = true; }, { once: true, passive: true });

/** The address of the view that is shown. */
let address = '';

/** Puts it into the address bar. A place in the page may stand there as long as the view is as at the start. */
function keepAddress() {
  const place = document.getElementById(location.hash.slice(1));
  if (address !== location.hash && (address || !place)) {
    history.replaceState(null, '', address || location.pathname + location.search);
  }
}

/** What stands in an element. A table often stays while a picture moves, and parsing it would take longer than the rest. */
const markup = new WeakMap();

function put(element, html) {
  if (markup.get(element) === html) return;
  element.innerHTML = html;
  markup.set(element, html);
}

function show({ id, picture, caption, table, how }) {
  const figure = $(`#fig-${id}`);
  const focused = $$('.item', figure).indexOf(document.activeElement);
  put($('.picture', figure), picture);
  put($('figcaption', figure), caption);
  put($('.table', figure), table);
  put($('.how p', figure), how);
  if (focused >= 0) focusItem($$('.item', figure), Math.min(focused, $$('.item', figure).length - 1));
}

function fill({ name, value, limits }, error) {
  for (const input of $$(`[data-control="${name}"]`)) {
    if (!('value' in input)) continue;
    if (limits) [input.min, input.max] = limits;
    // The hand is further already.
    if (changes.has(name)) continue;
    if (input.type === 'radio') input.checked = input.value === value;
    // A text that is wrong, or still being typed, is left as it is.
    else if (input !== document.activeElement || input.type === 'range') { if (!error) input.value = value; }
    if (input.type === 'text') input.setAttribute('aria-invalid', Boolean(error));
  }
  const message = $(`#${name}-error`);
  if (message) [message.textContent, message.hidden] = [error ?? '', !error];
}

function note(lines) {
  const close = make('button', { type: 'button' }, 'Close');
  close.addEventListener('click', () => $('#notes').replaceChildren());
  $('#notes').replaceChildren(...lines.map((line) => make('p', {}, line)), close);
}

// A caption that changed is read out half a second after the hand rests, once.
const spoken = document.body.appendChild(make('div', { class: 'unseen', role: 'status' }));
let rest;
function say(reply) {
  clearTimeout(rest);
  const id = reply.figures.find(({ id }) => $(`#fig-${id}`).closest('section') === document.activeElement?.closest('section'))?.id;
  if (id) rest = setTimeout(() => { spoken.textContent = $(`#fig-${id} figcaption`).textContent; }, 500);
}

document.addEventListener('input', ({ target }) => {
  const name = target.dataset?.control;
  if (!name) return;
  if (target.type === 'number' && target.value === '') return;
  set(name, target.value);
});
// When a field is left, it shows what counts.
document.addEventListener('focusout', ({ target }) => {
  if (target.dataset?.control && target.type === 'number') ask({ width: { width: width() } });
});
for (const button of $$('[data-preset]')) button.addEventListener('click', () => set('preset', button.dataset.preset));

addEventListener('hashchange', () => {
  if (document.getElementById(location.hash.slice(1))) keepAddress();
  else ask({ open: { hash: location.hash, width: width() } });
});
let resized;
addEventListener('resize', () => {
  clearTimeout(resized);
  resized = setTimeout(() => worker && ask({ width: { width: width() } }), 150);
});

// The cut can be dragged; its range, number and buttons do the same.
document.addEventListener('pointerdown', (event) => {
  const grip = event.target.closest?.('.grip');
  if (!grip) return;
  const picture = grip.closest('.picture');
  const { control, x, w, count } = grip.dataset;
  const move = ({ clientX }) => {
    const svg = $('svg', picture);
    const scale = svg.viewBox.baseVal.width / svg.getBoundingClientRect().width;
    const at = ((clientX - svg.getBoundingClientRect().left) * scale - x) / w;
    set(control, Math.round(Math.min(Math.max(at, 0), 1) * count));
  };
  move(event);
  picture.setPointerCapture(event.pointerId);
  picture.addEventListener('pointermove', move);
  picture.addEventListener('lostpointercapture', () => picture.removeEventListener('pointermove', move), { once: true });
});

// A diagram is one stop of the Tab key; arrows go from tensor to tensor, Escape lets go.
function focusItem(items, index) {
  items.forEach((item, k) => item.setAttribute('tabindex', k === index ? 0 : -1));
  items[index]?.focus();
}
document.addEventListener('keydown', (event) => {
  const item = event.target.closest?.('.item');
  if (!item) return;
  const items = $$('.item', item.closest('svg'));
  const at = items.indexOf(item);
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === 'Escape') item.blur();
  if (to === undefined) return;
  event.preventDefault();
  focusItem(items, Math.min(Math.max(to, 0), items.length - 1));
});
for (const [on, off] of [['focusin', 'focusout'], ['pointerover', 'pointerout']]) {
  document.addEventListener(on, ({ target }) => detail(target.closest?.('.item'), true));
  document.addEventListener(off, ({ target }) => detail(target.closest?.('.item'), false));
  // One letter, one index: in words and pictures.
  document.addEventListener(on, ({ target }) => light(target.closest?.('[data-index]')?.dataset.index));
  document.addEventListener(off, () => light());
}
function detail(item, on) {
  if (item) $('.detail', item.closest('figure')).textContent = on ? item.getAttribute('aria-label') : '';
}
const light = (index) => (index ? root.setAttribute('data-light', index) : root.removeAttribute('data-light'));

// Copies.
document.addEventListener('click', async ({ target }) => {
  const what = target.dataset?.copy;
  if (!what) return;
  const words = target.textContent;
  const text = what === 'csv' ? csv($('table', target.closest('details'))) : await svg($('.picture svg', target.closest('figure')));
  try {
    await navigator.clipboard.writeText(text);
    target.textContent = 'Copied';
  } catch {
    target.textContent = 'The browser did not allow it';
  }
  setTimeout(() => { target.textContent = words; }, 1500);
});
const csv = (table) => $$('tr', table).map((row) => $$('th, td', row).map(cell).join(',')).join('\n');
/** Numbers as programs read them; anything else as it is. */
function cell({ textContent: text }) {
  if (/^−?\d{1,3}(,\d{3})*(\.\d+)?(e-?\d+)?$/.test(text)) return text.replaceAll(',', '').replace('−', '-');
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
async function svg(picture) {
  const copy = picture.cloneNode(true);
  $$('.grip', copy).forEach((grip) => grip.remove());
  const style = document.createElementNS(copy.namespaceURI, 'style');
  style.textContent = await (await fetch(new URL('figure.css', import.meta.url))).text();
  copy.prepend(style);
  return new XMLSerializer().serializeToString(copy);
}

$('#working button').addEventListener('click', stop);

// Reading comes first: the module is fetched when the browser has nothing else to do.
(window.requestIdleCallback ?? ((f) => setTimeout(f, 200)))(start);
