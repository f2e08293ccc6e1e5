// The engine's worker: loads an export, chooses a device that computes rightly and fast, and answers. Its page is engine.js.
import init, { Download, fused } from '../../overfold-engine.js';
import * as gpu from './engine-device.js';
import { Fault, Files } from './engine-files.js';

/**
 * How far a logit may be from the stored one. Another order of summation and a GPU's exp and tanh move logits by 1e-5 to 1e-4,
 * a wrong kernel by more than 0.1. Two logits that are 2e-3 off move a probability by less than 0.1 %, the last digit shown.
 */
const TOLERANCE = 2e-3;
/**
 * Texts of the self-test on each device; each goes through every model. A wrong kernel is wrong for nearly any text, so that a slow
 * device is let go after two; others are tested on more, of more lengths.
 */
const TESTED = { least: 2, most: 12, milliseconds: 1000 };

let engine;
let manifest;
let evaluation;
let onGpu = false;
/** What went wrong on the GPU outside of any call of ours. */
let fault = null;
/** Ends the check of the evaluation texts. */
const cancelled = new Set();

// Called by the module (browser.rs): a panic leaves it unusable, an error in the log means that the GPU did not do its work.
globalThis.overfoldPanicked = (message) => postMessage({ event: 'died', reason: message });
globalThis.overfoldLogged = (message) => { fault ??= message; };

/** One call of the module at a time: while one waits for the GPU, another may not change what it works with. */
let turn = Promise.resolve();
function alone(call) {
  const found = turn.then(call);
  turn = found.catch(() => {});
  return found;
}

async function computed(where, call) {
  const found = await alone(call);
  if (where && fault) throw new Error(fault);
  return found;
}

const logits = (where, model, ids) => computed(where, () => engine.logits(where, model, ids));

async function start({ manifestUrl, device, patience, failures }, progress) {
  const say = (phase, loaded = 0, total = 0) => progress({ phase, loaded, total });
  const files = new Files(manifestUrl, patience);
  say('download');
  const module = compile();
  // Awaited later, when what it says is of use.
  module.catch(() => {});
  const text = await files.manifest();
  manifest = read(text);
  const names = ['config.json', 'tokenizer.json', ...manifest.models.flatMap(({ weights }) => weights)];
  if (manifest.files['evaluation.json']) names.push('evaluation.json');
  const absent = names.find((name) => !manifest.files[name]);
  if (absent) throw new Fault('manifest', `manifest.json does not list ${absent}; write the folder again with \`overfold export-web\`.`);
  const total = names.reduce((sum, name) => sum + manifest.files[name].bytes, 0);
  const contents = new Map();
  let [before, cached] = [0, 0];
  for (const name of names) {
    const bytes = await files.read(name, manifest.files[name], (count, kept) => {
      if (kept) cached += count;
      say('download', before + count, total);
    });
    before += bytes.length;
    contents.set(name, bytes);
  }
  await files.tidy(manifest.files);
  say('compile');
  await module;
  const download = new Download();
  for (const [name, bytes] of contents) if (name !== 'evaluation.json') download.add(name, bytes);
  engine = download.open(text);
  evaluation = contents.has('evaluation.json') ? JSON.parse(new TextDecoder().decode(contents.get('evaluation.json'))) : null;
  const config = JSON.parse(new TextDecoder().decode(contents.get('config.json')));
  const chosen = await choose(device, 4 * config.vocab_size * config.hidden_size, failures, say);
  const { models, files: list, ...about } = manifest;
  return {
    manifest: about, ...chosen, notes: files.notes,
    models: models.map(({ weights, ...model }) => ({ ...model, bytes: weights.reduce((sum, name) => sum + list[name].bytes, 0) })),
    bytes: { total, cached }, fused: fused(), evaluation: evaluation && { dataset: evaluation.dataset, texts: evaluation.texts.length },
    agent: navigator.userAgent, resources: performance.getEntriesByType('resource').map(({ name }) => name),
  };
}

async function compile() {
  try {
    await init();
  } catch (error) {
    throw new Fault('engine', `The engine could not be loaded (${error.message}). Reload the page; if it stays so, this browser may not run WebAssembly with SIMD.`);
  }
}

function read(text) {
  try {
    const found = JSON.parse(text);
    if (!found.models?.length || !found.files) throw new Error('it lists no models or no files');
    return found;
  } catch (error) {
    throw new Fault('manifest', `manifest.json is not what \`overfold export-web\` writes: ${error.message}.`);
  }
}

/** Opens the devices that are wanted, tests and times them, and keeps the faster one. */
async function choose(wanted, largest, failures, say) {
  const devices = {};
  const attempt = async (name, open) => {
    try {
      say('open');
      await open();
      say('test');
      const error = await test(name === 'gpu');
      say('time');
      devices[name] = { error, ...await time(name === 'gpu') };
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      devices[name] = { failed: String(error.message ?? error) };
    }
  };
  await attempt('cpu', () => engine.openCpu());
  if (devices.cpu.failed) throw new Fault('engine', `The model does not compute what it should: ${devices.cpu.failed}.`);
  const { why, report } = wanted === 'cpu' ? { why: null, report: {} } : await gpu.probe(largest, wanted === 'gpu');
  if (wanted !== 'cpu' && !why) {
    await attempt('gpu', async () => {
      await engine.openGpu();
      gpu.device.lost.then(({ reason, message }) => postMessage({ event: 'lost', reason: message || reason }));
    });
  }
  const { cpu, gpu: other } = devices;
  onGpu = Boolean(other && !other.failed && (wanted === 'gpu' || other.ms < cpu.ms));
  engine.close(!onGpu);
  let reason = `it is faster here: ${figure(onGpu ? other : cpu)} against ${figure(onGpu ? cpu : other)} on ${onGpu ? 'the CPU' : 'WebGPU'}`;
  if (why) reason = why;
  else if (other?.failed) reason = `WebGPU failed: ${other.failed}`;
  else if (wanted !== 'auto') reason = failures.length ? failures.at(-1) : 'you asked for it';
  return { device: onGpu ? 'gpu' : 'cpu', why: reason, devices, gpu: report };
}

const figure = (device) => (device?.ms === undefined ? 'nothing' : `${device.ms.toFixed(1)} ms (median of ${device.n})`);

/** The largest difference from the stored logits; an error if it is too large, null if none are stored. */
async function test(where) {
  if (!evaluation?.logits?.length) return null;
  let worst = 0;
  const start = performance.now();
  for (const [k, [text]] of evaluation.texts.slice(0, Math.min(TESTED.most, evaluation.logits[0].length)).entries()) {
    if (k >= TESTED.least && performance.now() - start > TESTED.milliseconds) break;
    const { ids } = JSON.parse(engine.encode(text));
    for (const model of manifest.models.keys()) {
      const found = await logits(where, model, ids);
      found.forEach((x, label) => { worst = Math.max(worst, Math.abs(x - evaluation.logits[model][k][label])); });
    }
  }
  if (worst > TOLERANCE) throw new Error(`its logits are up to ${worst.toPrecision(2)} from those stored with the model`);
  return worst;
}

/** One sentence of usual length, after a first run that compiles what is not yet compiled. */
async function time(where) {
  const { ids } = JSON.parse(engine.encode(evaluation?.texts[0]?.[0] || 'How long does a sentence of a dozen words take on this machine?'));
  await logits(where, 0, ids);
  return gpu.time(() => logits(where, 0, ids), 9, 1500);
}

async function classify({ text }) {
  const { ids, ...pieces } = JSON.parse(engine.encode(text));
  const models = [];
  for (const model of manifest.models.keys()) {
    const found = [...await logits(onGpu, model, ids)];
    models.push({ kind: manifest.models[model].kind, logits: found, probabilities: softmax(found) });
  }
  return { text, ...pieces, models, ...await gpu.time(() => logits(onGpu, 0, ids), 5, 100) };
}

function softmax(logits) {
  const highest = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - highest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((x) => x / sum);
}

/** Lets other questions in between, and the order to stop. */
async function breathe(progress, id, loaded, total) {
  progress({ phase: 'evaluate', loaded, total });
  await new Promise((go) => setTimeout(go));
  if (cancelled.delete(id)) throw new Fault('cancelled', 'Stopped.');
}

/** Classifies every text of the evaluation set with every model. */
async function evaluate(_, progress, id) {
  const texts = evaluation?.texts ?? [];
  const right = manifest.models.map(() => 0);
  for (const [k, [text, label]] of texts.entries()) {
    const { ids } = JSON.parse(engine.encode(text));
    for (const model of manifest.models.keys()) {
      const found = await logits(onGpu, model, ids);
      if (found.indexOf(Math.max(...found)) === label) right[model]++;
    }
    await breathe(progress, id, k + 1, texts.length);
  }
  return manifest.models.map(({ kind }, model) => ({ kind, right: right[model], n: texts.length, interval: wilson(right[model], texts.length) }));
}

/**
 * The first model with its matrices unfolded, cut to `bond` if there is one, and folded again: on the evaluation set, and
 * beside the first model and the chains on the texts of the self-test. Then both ways to run it are timed.
 */
async function fold({ bond }, progress, id) {
  const folded = JSON.parse(await alone(() => engine.fold(onGpu, bond ?? undefined)));
  const texts = evaluation?.texts ?? [];
  const compared = evaluation?.logits?.[0]?.length ?? 0;
  const [own, whole, chain] = [0, manifest.models.length, manifest.models.length + 1];
  const apart = (a, b) => Math.max(...a.map((x, n) => Math.abs(x - b[n])));
  let [right, difference, apartness] = [0, 0, 0];
  for (const [k, [text, label]] of texts.entries()) {
    const { ids } = JSON.parse(engine.encode(text));
    const found = await logits(onGpu, whole, ids);
    if (found.indexOf(Math.max(...found)) === label) right++;
    if (k < compared) {
      difference = Math.max(difference, apart(await logits(onGpu, own, ids), found));
      apartness = Math.max(apartness, apart(await logits(onGpu, chain, ids), found));
    }
    await breathe(progress, id, k + 1, texts.length);
  }
  const { ids } = JSON.parse(engine.encode(texts[0]?.[0] ?? ''));
  const run = async (model) => {
    // What is not yet compiled is compiled now.
    await logits(onGpu, model, ids);
    return gpu.time(() => logits(onGpu, model, ids), 9, 1000);
  };
  progress({ phase: 'time', loaded: 0, total: 0 });
  const latency = { folded: await run(whole), chain: await run(chain) };
  return { ...folded, bond, compared, difference, apart: apartness, latency, right, n: texts.length, interval: wilson(right, texts.length) };
}

/** A chain multiplied out, and the matrix less the product. */
async function contract({ rows, cols, dims, cores, matrix }) {
  const numbers = await computed(onGpu, () => engine.contract(onGpu, rows, cols, Uint32Array.from(dims.flat()), cores, matrix));
  return { device: onGpu ? 'gpu' : 'cpu', numbers };
}

/** 95 % interval of a proportion (Wilson, 1927), as in the trainer's reports. */
function wilson(right, n) {
  if (!n) return [0, 1];
  const [p, z2] = [right / n, 1.959964 ** 2];
  const [middle, half] = [(p + z2 / (2 * n)) / (1 + z2 / n), (Math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n)))) / (1 + z2 / n)];
  return [middle - half, middle + half];
}

const tasks = { start, classify, evaluate, fold, contract };

onmessage = async ({ data: { id, task, cancel, ...request } }) => {
  if (cancel) return cancelled.add(id);
  // A sign of life while the GPU compiles: silence means that this worker is dead.
  const alive = setInterval(() => postMessage({ id, alive: true }), 1000);
  try {
    postMessage({ id, done: await tasks[task](request, (state) => postMessage({ id, progress: state }), id) });
  } catch (error) {
    // After a panic the module is unusable, and the page has heard of it.
    if (!(error instanceof WebAssembly.RuntimeError)) postMessage({ id, failed: { kind: error.kind ?? 'engine', message: String(error.message ?? error) } });
  } finally {
    clearInterval(alive);
  }
};
