// A section as a worksheet to print: its pictures as they are, its questions, and room for answers.
import { $$, make } from './make.js';

const root = document.documentElement;

for (const questions of $$('.try')) {
  const button = make('button', { type: 'button', class: 'live-only' }, 'Print as a worksheet');
  button.addEventListener('click', () => sheet(questions.closest('section')));
  questions.append(button);
}

function sheet(section) {
  // With the address, which gives the same pictures on the page.
  const head = make('div', { class: 'head' }, make('p', {}, 'Name:'), make('p', {}, 'Date:'), make('p', {}, location.href));
  section.prepend(head);
  root.classList.add('worksheet');
  section.classList.add('sheet');
  addEventListener('afterprint', () => {
    head.remove();
    root.classList.remove('worksheet');
    section.classList.remove('sheet');
  }, { once: true });
  print();
}
