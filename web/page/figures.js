// Has the products that figures show multiplied out by the engine's GPU, once it is up. The lesson has drawn them by then, with
// its own; those stay until the GPU has answered, and if it fails.
import { $$ } from './make.js';

let engine = null;
/** Sends to the lesson's worker. */
let post = null;
/** Figures drawn since the GPU was last asked about them. What they show is asked for when it is their turn, so it is the newest. */
const drawn = new Set();
let busy = false;

/** The lesson's worker, if need be another one. */
export function connect(to) {
  [post, busy] = [to, false];
  drawn.clear();
}

/** The engine that is up, or null. One that computes on the CPU has nothing to offer: the lesson does so in f64. */
export function lend(to) {
  engine = to?.info().device === 'gpu' ? to : null;
  renew($$('figure[id]').map(({ id }) => id.slice(4)));
}

/** These figures were drawn anew. */
export function renew(names) {
  if (!engine || !post) return;
  names.forEach((name) => drawn.add(name));
  next();
}

function next() {
  const [name] = drawn;
  if (busy || !name) return;
  drawn.delete(name);
  busy = true;
  post({ work: name });
}

/** What the worker says of a figure's chains: protocol.rs. */
export async function multiply(work) {
  const answer = post;
  try {
    const numbers = work && await products(work);
    if (numbers && answer === post) post({ multiplied: { figure: work.figure, drawing: work.drawing, numbers } }, [numbers.buffer]);
  } catch {
    // The panel tells what is wrong with the engine.
  }
  if (answer !== post) return;
  busy = false;
  next();
}

/** Of each chain the product and the residual; null if there is no GPU any more, or a newer question. */
async function products({ figure, rows, cols, matrix, chains }) {
  let numbers = null;
  for (const [k, chain] of chains.entries()) {
    if (!engine || drawn.has(figure)) return null;
    const { device, product, residual } = await engine.contract({ rows, cols, ...chain }, matrix);
    if (device !== 'gpu') return null;
    numbers ??= new Float32Array(2 * product.length * chains.length);
    numbers.set(product, 2 * k * product.length);
    numbers.set(residual, (2 * k + 1) * product.length);
  }
  return numbers;
}
