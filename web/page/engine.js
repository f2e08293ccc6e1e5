// The engine for pages: a model folded by Overfold, in a worker, on WebGPU or on the CPU. Types: engine.d.ts, example: example.html.
import { Fault, PATIENCE, forget, keptBytes } from './engine-files.js';

export { Fault, forget, keptBytes };

/**
 * Loads an export of `overfold export-web`.
 *
 * `device`: 'auto' (the faster one that computes rightly), 'gpu' or 'cpu'. `onProgress` is told the phase and, while
 * downloading, the bytes; `onChange` that the engine had to start again, and why. `signal` cancels. `patience`: milliseconds
 * without a byte after which a download counts as stalled; after twice as long in silence the worker counts as dead.
 */
export async function load(manifestUrl, { device = 'auto', onProgress = () => {}, onChange = () => {}, signal, patience = PATIENCE } = {}) {
  const engine = new Engine({ manifestUrl: String(new URL(manifestUrl, document.baseURI)), device, patience }, { onProgress, onChange });
  const cancel = () => engine.dispose(new Fault('cancelled', 'Cancelled. What has arrived is kept; loading goes on from there.'));
  signal?.addEventListener('abort', cancel);
  try {
    if (signal?.aborted) cancel();
    await engine.started;
    return engine;
  } catch (error) {
    engine.dispose(error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

class Engine {
  /** Settled when it can answer. */
  started;
  #wanted;
  #listeners;
  #worker = null;
  /** Why it had to start again, so far. */
  #failures = [];
  #info = null;
  /** Questions on their way, those included that wait until the engine has started (again). */
  #pending = new Map();
  #last = 0;
  #silence;
  #ended = null;

  constructor(wanted, listeners) {
    [this.#wanted, this.#listeners] = [wanted, listeners];
    this.#start(wanted.device);
  }

  /** What was loaded, on which device it runs and why, what both devices need for a sentence, and what went wrong. */
  info() {
    return { ...this.#info, failures: [...this.#failures] };
  }

  /** Probabilities of the classes by every model, the pieces of the text, and the time that it took. */
  classify(text) {
    return this.#ask('classify', { text: String(text) });
  }

  /** Right answers of every model on the export's evaluation set. */
  evaluate({ onProgress, signal } = {}) {
    return this.#ask('evaluate', {}, { onProgress, signal });
  }

  /** Unfolds the first model's matrices, cuts every bond to at most `bond` (null: none), folds them, and tries that model. */
  fold(bond, { onProgress, signal } = {}) {
    return this.#ask('fold', { bond }, { onProgress, signal });
  }

  /**
   * Multiplies a chain of cores out on the engine's device, in f32, and takes the product from `matrix`. Nothing is transferred:
   * where a GPU is lost, the same is asked again.
   */
  async contract(chain, matrix) {
    const { device, numbers } = await this.#ask('contract', { ...chain, matrix });
    const half = numbers.length / 2;
    return { device, product: numbers.subarray(0, half), residual: numbers.subarray(half) };
  }

  /** Frees everything; what is still asked is refused with `reason`. */
  dispose(reason = new Fault('cancelled', 'The engine was disposed of.')) {
    this.#ended ??= reason;
    this.#worker?.terminate();
    this.#worker = null;
    clearTimeout(this.#silence);
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }

  #start(device) {
    // A worker from a `blob:` obeys the page's Content-Security-Policy; one from a file would obey none.
    const script = new Blob([`import '${new URL('engine-worker.js', import.meta.url)}'`], { type: 'text/javascript' });
    const url = URL.createObjectURL(script);
    const worker = new Worker(url, { type: 'module' });
    this.#worker = worker;
    worker.onmessage = ({ data }) => worker === this.#worker && this.#receive(data);
    worker.onerror = (event) => worker === this.#worker && this.#broken('died', event.message || 'the engine could not be loaded');
    this.#info = null;
    this.started = this.#ask('start', { ...this.#wanted, device, failures: this.#failures }, { onProgress: this.#listeners.onProgress });
    this.started.then((info) => {
      this.#info = info;
      // Only now could the worker not be in want of its script.
      URL.revokeObjectURL(url);
      if (this.#failures.length) this.#listeners.onChange(this.info());
      for (const id of this.#pending.keys()) this.#send(id);
    }, (error) => this.dispose(error));
  }

  #ask(task, request, { onProgress, signal } = {}) {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#last;
    signal?.addEventListener('abort', () => this.#worker?.postMessage({ id, cancel: true }));
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { task, request, resolve, reject, onProgress });
      if (this.#info || task === 'start') this.#send(id);
    });
  }

  #send(id) {
    const { task, request } = this.#pending.get(id);
    this.#worker.postMessage({ id, task, ...request });
    this.#listen();
  }

  /** Silence for too long means that the worker is dead: it was killed, or its memory gave out. */
  #listen() {
    clearTimeout(this.#silence);
    if (this.#pending.size) this.#silence = setTimeout(() => this.#broken('died', `it was silent for ${2 * this.#wanted.patience / 1000} seconds`), 2 * this.#wanted.patience);
  }

  #receive({ id, done, failed, progress, event, reason }) {
    if (event) return this.#broken(event, reason);
    const waiting = this.#pending.get(id);
    if (progress) waiting?.onProgress?.(progress);
    if (done !== undefined || failed) {
      this.#pending.delete(id);
      if (failed) waiting?.reject(new Fault(failed.kind, failed.message));
      else waiting?.resolve(done);
    }
    this.#listen();
  }

  /** Starts again: after the first loss of a GPU with the GPU, else on the CPU; after a third failure never. */
  #broken(event, reason) {
    this.#worker.terminate();
    const again = event === 'lost' && !this.#failures.length;
    this.#failures.push(event === 'lost' ? `the GPU was lost (${reason})` : `the engine stopped (${reason})`);
    if (this.#failures.length > 2) {
      return this.dispose(new Fault('engine', `The engine stopped three times: ${this.#failures.join('; ')}. Reload the page to try again.`));
    }
    const starts = [...this.#pending].filter(([, { task }]) => task === 'start');
    for (const [id] of starts) this.#pending.delete(id);
    this.#start(again ? this.#wanted.device : 'cpu');
    for (const [, { resolve, reject }] of starts) this.started.then(resolve, reject);
  }
}
