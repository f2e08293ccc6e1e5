// A sentence of 64 tokens through the same model by the engine and by ONNX Runtime Web, in one browser, in turns:
//
//   overfold export-web --model FOLDER --out EXPORT
//   python tests/python/onnx_export.py FOLDER model.onnx
//   npm install --prefix /tmp/ort onnxruntime-web
//   node latency.mjs EXPORT model.onnx /tmp/ort/node_modules/onnxruntime-web/dist [gpu]
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [exported, onnx, runtime, gpu] = process.argv.slice(2);
if (!runtime) throw new Error('expected EXPORT, model.onnx and the dist folder of onnxruntime-web');
// One folder with everything; the page has no policy, which would forbid the runtime's own workers.
const built = process.env.OVERFOLD_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'overfold-latency-'));
mkdirSync(join(root, 'web'));
for (const name of ['overfold-engine.js', 'overfold-engine_bg.wasm', 'web/page']) symlinkSync(resolve(built, name), join(root, name));
for (const [name, target] of [['web/demo', exported], ['model.onnx', onnx], ['runtime', runtime]]) symlinkSync(resolve(target), join(root, name));
writeFileSync(join(root, 'index.html'), '<!doctype html><title>latency</title>');
process.env.OVERFOLD_DIST = root;
const { launch, serve } = await import('./site.mjs');

const [site, browser] = [await serve(), await launch({ gpu: gpu === 'gpu' })];
const page = await browser.newPage();
page.setDefaultTimeout(600000);
await page.goto(site.url);
const found = await page.evaluate(async ({ device, rounds }) => {
  const { load } = await import('/web/page/engine.js');
  const ort = await import(device === 'gpu' ? '/runtime/ort.all.min.mjs' : '/runtime/ort.wasm.min.mjs');
  const text = 'a good day '.repeat(40);
  const ids = [101, ...Array.from({ length: 62 }, (_, k) => [1037, 2204, 2154][k % 3]), 102];
  const engine = await load('/web/demo/manifest.json', { device, patience: 300000 });
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/runtime/';
  const session = await ort.InferenceSession.create('/model.onnx', { executionProviders: [device === 'gpu' ? 'webgpu' : 'wasm'] });
  const tensor = (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  const input = { input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)), token_type_ids: tensor(ids.map(() => 0)) };
  const limit = engine.info().manifest.max_length;
  const words = text.split(' ').slice(0, 62).join(' ');
  const times = [[], []];
  let difference = 0;
  for (let round = 0; round <= rounds; round++) {
    const { ms, pieces, models } = await engine.classify(words);
    if (pieces.length !== 64 || limit < 64) throw new Error(`${pieces.length} pieces, not 64`);
    const start = performance.now();
    const { logits } = await session.run(input);
    const took = performance.now() - start;
    models[0].logits.forEach((x, k) => { difference = Math.max(difference, Math.abs(x - logits.data[k])); });
    // The first round compiles.
    if (round) [ms, took].forEach((time, k) => times[k].push(time));
  }
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  return { engine: median(times[0]), runtime: median(times[1]), difference, device: engine.info().device };
}, { device: gpu === 'gpu' ? 'gpu' : 'cpu', rounds: gpu === 'gpu' ? 3 : 15 });
const { engine, runtime: other, difference, device } = found;
console.log(`${device}: engine ${engine.toFixed(1)} ms, ONNX Runtime Web ${other.toFixed(1)} ms, ratio ${(engine / other).toFixed(2)}; logits differ by ${difference.toExponential(1)}`);
await browser.close();
site.close();
