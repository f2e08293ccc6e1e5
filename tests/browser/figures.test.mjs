// The products that figures show: by the lesson on the CPU, and by the engine's GPU, the same to rounding.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { load, worker } from './engine.mjs';
import { launch, leave, live, number, numbers, serve, visit } from './site.mjs';

let browser;
let gpu;
let site;
/** Scripts as they are served, with changes. */
const changed = (changes) => (inside, body) => {
  const change = changes[inside.replace('web/page/', '')];
  return change ? Buffer.from(String(body).replace(...change)) : body;
};
// SwiftShader on a busy machine may say nothing for longer than any GPU would; the panel has the patience of a visitor.
const PATIENT = { 'engine-files.js': ['PATIENCE = 20000', 'PATIENCE = 120000'] };
before(async () => {
  [browser, gpu, site] = await Promise.all([launch(), launch({ gpu: true }), serve()]);
  site.fault = changed(PATIENT);
});
after(async () => { await browser?.close(); await gpu?.close(); site?.close(); });

/** Those that multiply chains out, in a view in which all of them do. */
const FIGURES = ['cut', 'effects', 'center', 'fold'];
const VIEW = '#v=1&fold=2';
/** Of numbers that are shown with three digits, or as percentages with one. */
const SHOWN = 5e-3;

/** SwiftShader may take long. */
const open = (from, device, hash = VIEW) => visit(from, `${site.url}${hash}&device=${device}`, { timeout: 240000 });

async function run(page) {
  await page.locator('#run-load').click();
  await page.locator('#run-answer table').waitFor();
}

const how = (page, id) => page.locator(`#fig-${id} .how p`).evaluate((element) => element.textContent);
const by = (page, id, words) => page.locator(`#fig-${id} .how p`, { hasText: words }).waitFor({ state: 'attached' });
const ON_CPU = 'was multiplied out in f64 on the CPU.';
const ON_GPU = 'in f32 on the GPU, by WebGPU';

/** What a figure says: its caption, and its numbers. */
const shown = (page, id) => page.locator(`#fig-${id}`).evaluate((figure) => ({
  caption: figure.querySelector('figcaption').textContent,
  rows: [...figure.querySelectorAll('.table tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent)),
}));
const all = (page) => Promise.all(FIGURES.map((id) => shown(page, id)));

/** How far the text says that both are apart, and how far they may be; parts of ‖W‖. */
async function compared(page, id) {
  const [, difference, tolerance] = (await how(page, id)).match(/it is the same to (\S+) of ‖W‖\. The tolerance is (\S+), /);
  return { difference: Number(difference), tolerance: Number(tolerance) };
}

/** The same words, and numbers that differ by no more than the tolerance and the digits that are not shown. */
function same(found, wanted, tolerance, where) {
  const words = (text) => text.replace(number, '#').replaceAll(' (rounding)', '');
  assert.equal(words(found), words(wanted), where);
  numbers(found).forEach((x, k) => {
    const y = numbers(wanted)[k];
    // Percentages are 100 times as large as what they are parts of.
    assert.ok(Math.abs(x - y) <= SHOWN * Math.max(Math.abs(x), Math.abs(y)) + 100 * tolerance, `${where}: ${x} is not ${y}`);
  });
}

test('without the engine figures name the CPU, and with one on the CPU too', async () => {
  const page = await open(browser, 'cpu');
  for (const id of FIGURES) assert.ok((await how(page, id)).includes(ON_CPU), id);
  const before = await all(page);
  await run(page);
  await page.locator('#cut-number').fill('20');
  await page.waitForFunction(() => /cut=20/.test(location.hash));
  for (const id of FIGURES) assert.ok((await how(page, id)).includes(ON_CPU), id);
  assert.deepEqual((await all(page)).slice(1), before.slice(1));
  await leave(page);
});

describe('with the engine on the GPU', () => {
  let page;
  let first;
  before(async () => {
    page = await open(gpu, 'gpu');
    first = await all(page);
    await run(page);
    assert.match(await page.locator('#run-where').textContent(), /^Runs on the GPU by WebGPU: you asked for it\. The figures above are multiplied out there too\./);
    for (const id of FIGURES) await by(page, id, ON_GPU);
  });
  after(() => page && leave(page));

  test('figures name it, and their numbers are those of the CPU within the tolerance', async () => {
    for (const [k, id] of FIGURES.entries()) {
      const { difference, tolerance } = await compared(page, id);
      assert.ok(difference > 0 && difference <= tolerance && tolerance < 1e-3, `${id}: ${difference} of ${tolerance}`);
      const { caption, rows } = await shown(page, id);
      same(caption, first[k].caption, tolerance, id);
      rows.forEach((row, n) => row.forEach((cell, at) => same(cell, first[k].rows[n][at], tolerance, `${id}, row ${n}`)));
    }
    // An error that is nothing but rounding is that of f32 now, so it was not the CPU that computed.
    const [fold] = numbers((await shown(page, 'fold')).caption.match(/W is back up to (\S+) of/)[1]);
    assert.ok(fold > 1e-9 && fold <= (await compared(page, 'fold')).tolerance, `${fold}`);
  });

  test('a figure never waits for it: the CPU draws first, and only the newest is drawn again', async () => {
    await page.evaluate(() => {
      window.seen = [];
      const figure = document.querySelector('#fig-cut');
      new MutationObserver(() => window.seen.push([figure.querySelector('figcaption').textContent.match(/Keeping (\d+) of/)[1], figure.querySelector('.how p').textContent]))
        .observe(figure.querySelector('.how p'), { childList: true });
      const range = document.querySelector('#cut-range');
      for (let k = 20; k <= 60; k++) {
        range.value = k;
        range.dispatchEvent(new Event('input', { bubbles: true }));
      }
    });
    await page.waitForFunction(() => /cut=60/.test(location.hash));
    await by(page, 'cut', ON_GPU);
    const seen = (await page.evaluate(() => window.seen)).map(([cut, how]) => [cut, how.includes('on the GPU') ? 'GPU' : 'CPU']);
    assert.deepEqual(seen.at(-1), ['60', 'GPU']);
    for (const [k, [cut, device]] of seen.entries()) {
      if (device === 'GPU') assert.deepEqual(seen[k - 1], [cut, 'CPU'], `${cut}: drawn before`);
    }
  });

  test('nothing is multiplied out where nothing is kept', async () => {
    await page.locator('#cut-number').fill('0');
    await page.waitForFunction(() => /cut=0/.test(location.hash));
    await live(page);
    assert.doesNotMatch(await how(page, 'cut'), /multiplied out/);
  });
});

test('where the GPU computes nonsense or fails, the numbers of the CPU stay', async () => {
  const line = 'if (self.fails) { self.failed = true; throw new Error("no"); } numbers[7] += 1;';
  site.fault = changed({ ...PATIENT, 'engine-worker.js': ["return { device: onGpu ? 'gpu' : 'cpu', numbers };", (found) => line + found] });
  const page = await open(gpu, 'gpu');
  const first = await all(page);
  await run(page);
  site.fault = changed(PATIENT);
  for (const id of FIGURES) await by(page, id, 'the GPU’s is');
  for (const id of FIGURES) assert.match(await how(page, id), /in f64 on the CPU: the GPU’s is \S+ of ‖W‖ away, and rounding to f32 explains only \S+\./);
  assert.deepEqual(await all(page), first);
  const engine = await worker(page);
  await engine.evaluate(() => { self.fails = true; });
  await page.locator('#cut-number').fill('17');
  await by(page, 'cut', ON_CPU);
  while (!await engine.evaluate(() => self.failed)) await page.waitForTimeout(100);
  assert.ok((await how(page, 'cut')).includes(ON_CPU));
  assert.match((await shown(page, 'cut')).caption, /Keeping 17 of 64/);
  await leave(page);
});

describe('a chain is multiplied out by the engine', () => {
  /** Of a 9×10 matrix in factors 3,3 x 2,5 with a bond of 4, by sums in f64; with the sums of magnitudes. */
  const [rows, cols, d] = [9, 10, 4];
  const core = (n, seed) => Array.from({ length: n }, (_, k) => Math.fround(Math.sin(seed + k * k)));
  const [first, second, matrix] = [core(3 * 2 * d, 1), core(d * 3 * 5, 2), core(rows * cols, 3)];
  const sum = (of) => Array.from({ length: rows * cols }, (_, at) => {
    const [i, j] = [Math.floor(at / cols), at % cols];
    const [a, b] = [Math.floor(i / 3) * 2 + Math.floor(j / 5), (i % 3) * 5 + j % 5];
    let total = 0;
    for (let k = 0; k < d; k++) total += of(first[a * d + k] * second[k * 15 + b]);
    return total;
  });
  const [wanted, most] = [sum((x) => x), sum(Math.abs)];
  const contract = (page, change = {}) => page.evaluate(async ({ chain, matrix }) => {
    try {
      const { device, product, residual } = await window.engine.contract({ ...chain, cores: Float32Array.from(chain.cores) }, Float32Array.from(matrix));
      return { device, product: [...product], residual: [...residual] };
    } catch ({ message }) {
      return message;
    }
  }, { chain: { rows, cols, dims: [[1, 3, 2, d], [d, 3, 5, 1]], cores: [...first, ...second], ...change }, matrix });

  for (const wish of ['cpu', 'gpu']) {
    test(`on the ${wish}: the sum that defines it, and what is left of a matrix`, async () => {
      const { page } = await load(gpu, site, { device: wish });
      const { device, product, residual } = await contract(page);
      assert.equal(device, wish);
      // d products and sums, and a rounding of each core; a GPU may round either way.
      wanted.forEach((x, k) => {
        const may = (d + 4) * 2 ** -23 * most[k];
        assert.ok(Math.abs(product[k] - x) <= may, `${k}: ${product[k]} is not ${x}`);
        assert.ok(Math.abs(residual[k] - (matrix[k] - x)) <= may + 2 ** -23 * Math.abs(matrix[k] - x));
      });
      // What does not fit is refused, and harms nothing.
      assert.match(await contract(page, { dims: [[1, 3, 2, d], [d, 3, 4, 1]] }), /the chain cannot be contracted: /);
      assert.match(await contract(page, { rows: 8 }), /cannot be contracted/);
      assert.deepEqual((await contract(page)).product, product);
      await page.close();
    });
  }

  test('while the model is asked and folded', async () => {
    const { page } = await load(gpu, site, { device: 'gpu' });
    const found = await page.evaluate(async (chain) => {
      const cores = Float32Array.from(chain.cores);
      const contract = () => window.engine.contract({ ...chain, cores }, new Float32Array(90));
      const control = new AbortController();
      const others = [window.engine.classify('A fine day.'), window.engine.fold(1, { signal: control.signal })];
      const [a, b] = await Promise.all([contract(), contract()]);
      // Nobody waits for all texts.
      control.abort();
      const ends = await Promise.allSettled(others);
      return { products: [[...a.product], [...b.product]], ends: ends.map(({ status, reason }) => reason?.kind ?? status) };
    }, { rows, cols, dims: [[1, 3, 2, d], [d, 3, 5, 1]], cores: [...first, ...second] });
    assert.deepEqual(found.products[0], found.products[1]);
    assert.deepEqual(found.ends, ['fulfilled', 'cancelled']);
    await page.close();
  });
});
