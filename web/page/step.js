// What of the lesson is shown: all of it, some sections, or one step after the other. A step is a section, or a part of one from
// a heading with `data-step` on.
import { $, $$, make } from './make.js';

const steps = [];
for (const section of $$('main > section')) {
  for (const element of section.children) {
    if (element === section.firstElementChild || 'step' in element.dataset) steps.push({ section, elements: [] });
    steps.at(-1).elements.push(element);
  }
}

/** Number of the step shown last, from 1, and sections that are left out; null while all are shown. */
let now = null;
let left = [];

const button = (words, act) => {
  const element = make('button', { type: 'button' }, words);
  element.addEventListener('click', act);
  return element;
};
let set;
const back = button('Back', () => move(-1));
const on = button('Next', () => move(1));
const where = make('p', { role: 'status' });
const bar = make('div', { id: 'steps', role: 'navigation', 'aria-label': 'Step by step', hidden: '' }, back, where, on, button('Show all', () => set('step', '')));

/** `change` sets a control, as the page's other controls do. */
export function buildSteps(change) {
  set = change;
  $('main').after(bar);
  $('#start').addEventListener('click', () => set('step', 1));
  document.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    // Not where the arrows have another meaning already.
    if (!by || !now || event.altKey || event.ctrlKey || event.metaKey || event.target.closest('input, select, textarea, [tabindex]')) return;
    event.preventDefault();
    move(by);
  });
}

/** The nearest step before or after this one of those that are not left out; 0 if there is none. */
function next(by) {
  let at = now + by;
  while (steps[at - 1] && left.includes(steps[at - 1].section.id)) at += by;
  return steps[at - 1] ? at : 0;
}

function move(by) {
  const to = next(by);
  if (to) set('step', to);
}

export function showSteps({ hide, step, embed }) {
  const before = now;
  [now, left] = [embed ? null : step, hide];
  const isLater = (k) => now !== null && k >= now;
  for (const section of $$('main > section')) {
    const out = embed ? section.id !== embed : hide.includes(section.id);
    section.hidden = out || isLater(steps.findIndex((step) => step.section === section));
    const link = $(`nav a[href="#${section.id}"]`);
    if (link) link.hidden = section.hidden;
  }
  steps.forEach(({ elements }, k) => elements.forEach((element) => element.classList.toggle('later', isLater(k))));
  bar.hidden = now === null;
  document.documentElement.classList.toggle('stepping', !bar.hidden);
  if (now === null || now === before) return;
  const [head] = steps[now - 1].elements;
  where.textContent = `Step ${now} of ${steps.length}: ${head.textContent}`;
  for (const [element, by, other] of [[back, -1, on], [on, 1, back]]) {
    const last = !next(by);
    // The focus would be lost with it.
    if (last && element === document.activeElement) { other.disabled = false; other.focus(); }
    element.disabled = last;
  }
  head.scrollIntoView(before === null ? { behavior: 'instant' } : {});
}
