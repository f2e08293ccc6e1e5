// A safetensors file: the visitor's own, picked or dropped and never sent anywhere, or the weights of this page's model.
import { demo } from './demo.js';
import { $, make } from './make.js';

let shown = '';

/** Builds the panel; `ask` sends a request to the worker. */
export function buildFile(box, ask) {
  const pick = make('input', { type: 'file', id: 'file', accept: '.safetensors' });
  const list = make('select', { id: 'file-matrix' });
  const corner = ['first row', 'first column'].map((words, k) => make('input', { type: 'number', id: `file-corner-${k}`, min: 0, step: 1, 'aria-label': `${words} shown` }));
  const model = make('button', { type: 'button', id: 'file-model' }, 'Take the matrices of this page’s model');
  const error = make('p', { id: 'file-error', class: 'error', role: 'status' });
  box.append(
    model, error,
    make('label', { for: 'file' }, 'or a safetensors file of yours, read in this page only; drop it anywhere'), pick,
    make('div', { id: 'file-view', hidden: '' },
      make('label', { for: 'file-matrix' }, 'Matrix'), list,
      make('label', { for: 'file-corner-0' }, 'from row'), corner[0],
      make('label', { for: 'file-corner-1' }, 'and column'), corner[1]),
  );
  const open = (file) => file && ask({ file });
  const block = (from) => ask({ block: { matrix: list.value, corner: from } });
  model.addEventListener('click', async () => {
    model.disabled = true;
    error.textContent = '';
    try {
      open(await weights());
    } catch (fault) {
      error.textContent = fault.kind === 'missing' ? 'There is no model on this page.' : fault.message;
    }
    model.disabled = false;
  });
  pick.addEventListener('change', () => open(pick.files[0]));
  list.addEventListener('change', () => block([0, 0]));
  corner.forEach((input) => input.addEventListener('change', () => block(corner.map(({ value }) => Math.max(0, Math.trunc(Number(value)) || 0)))));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    open(event.dataTransfer.files[0]);
  });
}

/** The first file of the model's weights that has matrices of the encoder. */
async function weights() {
  const { files, manifest } = await demo();
  const names = manifest.models[0].weights;
  let bytes;
  for (const name of names) {
    bytes = await files.read(name, manifest.files[name], () => {});
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    if (new TextDecoder().decode(bytes.subarray(8, 8 + length)).includes('encoder.layer.')) return new File([bytes], name);
  }
  return new File([bytes], names.at(-1));
}

/** Shows what is known of the file. */
export function showFile(file, chosen) {
  const other = $('input[name=matrix][value=own]');
  other.disabled = !file;
  $('#file-view').hidden = !file || !chosen;
  if (!file) return;
  const list = $('#file-matrix');
  if (shown !== file.name + file.matrices.length) {
    // Names go in as text, whatever they contain.
    list.replaceChildren(...file.matrices.map(([name, [rows, cols]]) => make('option', { value: name }, `${name} (${rows}×${cols})`)));
    shown = file.name + file.matrices.length;
  }
  list.value = file.chosen;
  file.corner.forEach((value, k) => {
    const input = $(`#file-corner-${k}`);
    [input.value, input.max, input.disabled] = [value, file.limits[k], file.limits[k] === 0];
  });
}
