// The model's own matrices: in the lesson, and unfolded, cut and folded by the engine.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demo, launch, leave, live, serve, visit } from './site.mjs';

const manifest = JSON.parse(readFileSync(join(demo, 'manifest.json')));
let browser;
let site;
before(async () => { [browser, site] = await Promise.all([launch(), serve()]); });
after(async () => { await browser?.close(); site?.close(); });

const open = (hash) => visit(browser, site.url + hash, { timeout: 120000 });

const cells = (page, selector) => page.locator(`${selector} tbody tr`).evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
const count = (text) => Number(text.replaceAll(',', ''));
const part = (text) => (text.endsWith(' %') ? parseFloat(text) / 100 : Number(text));

/** The chains take longer, for the same answers, and the words say what the table says. */
async function latencies(page, row) {
  const [folded, chain, apart] = (await cells(page, '#fold-results'))[row].slice(-3);
  const [[ms, n], [longer, runs]] = [folded, chain].map((text) => text.match(/[\d.]+/g).map(Number));
  assert.ok(n >= 3 && runs >= 3 && ms > 0 && longer > ms, `${folded}, ${chain}`);
  assert.ok(Number(apart) < 1e-4, `${apart}: f32 in another order`);
  const words = await page.locator('#fold-results .finding').textContent();
  assert.ok(words.includes(`takes ${folded}.`) && words.includes(`it takes ${chain}, `) && words.includes(`more than ${apart}.`), words);
  // Of the times before they were rounded to a tenth.
  const ratio = Number(words.match(/([\d.]+) times as long/)[1]);
  assert.ok(ratio > (longer - 0.05) / (ms + 0.05) - 0.06 && ratio < (longer + 0.05) / (ms - 0.05) + 0.06, words);
}

/** A tensor of a safetensors file in F16, read without any code of ours. */
function tensor(file, name) {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const { shape, dtype, data_offsets: [from, to] } = JSON.parse(bytes.subarray(8, 8 + length))[name];
  assert.equal(dtype, 'F16');
  const values = [];
  for (let at = 8 + length + from; at < 8 + length + to; at += 2) {
    const half = bytes.readUInt16LE(at);
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    values.push((half >> 15 ? -1 : 1) * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction));
  }
  return { shape, values };
}

describe("the model's matrices", () => {
  test('are shown by the lesson', async () => {
    const page = await open('#cut');
    await page.locator('#file-model').click();
    await page.locator('#fig-cut .how p', { hasText: 'attention.self.query.weight in the file' }).waitFor({ state: 'attached' });
    await live(page);
    const name = await page.locator('#file-matrix').inputValue();
    const { shape: [rows, cols], values } = tensor(join(demo, manifest.models[0].weights.at(-1)), name);
    const [[, , norm], ...kept] = await cells(page, '#fig-cut .table');
    const found = kept.map(([, sigma]) => Number(sigma));
    assert.equal(found.length, Math.min(rows, cols));
    const length = (list) => Math.sqrt(list.reduce((a, x) => a + x * x, 0));
    // Three digits are shown.
    for (const shown of [length(found), Number(norm)]) assert.ok(Math.abs(shown / length(values) - 1) < 5e-3, `${shown}, not ${length(values)}`);
    await leave(page);
  });

  test('are folded without loss, and not if they are cut', async () => {
    const page = await open('#run');
    await page.locator('#run-load').click();
    await page.locator('#run-answer table').waitFor();
    await page.locator('#run-check').click();
    await page.locator('#run-scores table').waitFor();
    const [[, own]] = await cells(page, '#run-scores');
    await page.locator('#fold-whole').click();
    await page.locator('#fold-results table').waitFor();
    const [[bond, numbers, , error, move, right]] = await cells(page, '#fold-results');
    assert.equal(bond, 'not cut');
    // f32 weights are rounded once, at the end: half an ulp each, and what that does to a logit.
    assert.ok(Number(error) < 1e-7 && Number(move) < 1e-4, `${error}, ${move}`);
    assert.equal(right, own, 'the same answers');
    await latencies(page, 0);
    await page.locator('#fold-bond-range').fill('0');
    await page.locator('#fold-cut').click();
    await page.waitForFunction(() => document.querySelectorAll('#fold-results tbody tr').length === 2);
    const [, [cut, fewer, , loss, moved]] = await cells(page, '#fold-results');
    assert.equal(cut, '1');
    assert.ok(count(fewer) < count(numbers) && part(loss) > 0.3 && part(loss) < 1 && Number(moved) > 1e-2, `${fewer} ${loss} ${moved}`);
    assert.match(await page.locator('#fold-results .finding').textContent(), /That is compression/);
    await latencies(page, 1);
    await leave(page);
  });

  test('displayed is computed: the charts over the bond are the table, and the table is what the engine says', async () => {
    const page = await open('#run');
    await page.locator('#run-load').click();
    await page.locator('#run-answer table').waitFor();
    await page.locator('#fold-whole').click();
    await page.locator('#fold-every:enabled').waitFor();
    const bonds = 2 + Number(await page.locator('#fold-bond-range').getAttribute('max'));
    await page.locator('#fold-every').click();
    await page.waitForFunction((bonds) => document.querySelectorAll('#fold-results tbody tr').length === bonds, bonds);
    const rows = await cells(page, '#fold-results');
    assert.deepEqual(rows.map(([bond]) => bond), ['not cut', ...Array.from({ length: bonds - 1 }, (_, k) => String(2 ** (bonds - 2 - k)))]);
    // Heights read off by the axis, as a visitor does it.
    const panels = await page.locator('#fig-bonds .panel').evaluateAll((found) => found.map((panel) => {
      const all = (selector) => [...panel.querySelectorAll(selector)];
      const axis = all('text[text-anchor=end]').map((text) => [parseFloat(text.textContent), Number(text.getAttribute('y')) - 4]);
      const [[low, bottom], [high, top]] = [axis[0], axis.at(-1)];
      const level = (y) => low + (high - low) * (y - bottom) / (top - bottom);
      return {
        dots: all('.dot').map((dot) => level(Number(dot.getAttribute('cy')))),
        spans: all('.span').map((span) => span.getAttribute('d').match(/^M\S+ (\S+)h10M\S+ \S+V(\S+)M/).slice(1).map((y) => level(Number(y)))),
        names: all('text[text-anchor=middle]').map((text) => text.textContent),
      };
    }));
    const near = (found, wanted, what) => assert.ok(Math.abs(found - wanted) < 0.15, `${what}: ${found} is not ${wanted}`);
    rows.forEach(([bond, , , error, , right, accuracy], k) => {
      const [n, of] = right.split(' of ').map(Number);
      const [shown, ...interval] = accuracy.match(/[\d.]+/g).map(Number);
      near(shown, 100 * n / of, `accuracy at ${bond}`);
      near(panels[0].dots[k], 100 * part(error), `error at ${bond}`);
      near(panels[1].dots[k], shown, `dot at ${bond}`);
      // Wilson's interval of n of `of`, written here in its other form: the roots of (p − n/of)² = z²·p·(1 − p)/of.
      const z2 = 1.959964 ** 2;
      panels[1].spans[k].forEach((p, end) => {
        near(p, interval[end], `interval at ${bond}`);
        assert.ok(Math.abs((p / 100 - n / of) ** 2 - z2 * p / 100 * (1 - p / 100) / of) < 3e-4, `interval at ${bond}`);
      });
      assert.equal(panels[1].names[k], bond === 'not cut' ? 'full' : bond);
    });
    const errors = panels[0].dots;
    errors.slice(1).forEach((error, k) => assert.ok(error > errors[k], 'a narrower bond loses more'));
    // The engine, asked by its API in a page of its own.
    const found = await page.evaluate(async () => {
      const { load } = await import(new URL('web/page/engine.js', location));
      const engine = await load(new URL('web/demo/manifest.json', location), { device: 'cpu' });
      const found = await engine.fold(2);
      engine.dispose();
      return found;
    });
    const [, numbers, , error, , right] = rows.at(-2);
    assert.deepEqual([count(numbers), error, right], [found.parameters, `${(100 * found.error).toFixed(1)} %`, `${found.right} of ${found.n}`]);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.locator('#fig-bonds [data-copy=csv]').click();
    await page.locator('#fig-bonds [data-copy]', { hasText: 'Copied' }).waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^bond,numbers in the chains,.*\nnot cut,\d+,/);
    await leave(page);
  });
});
