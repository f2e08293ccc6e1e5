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
    await page.locator('#fold-bond-range').fill('0');
    await page.locator('#fold-cut').click();
    await page.waitForFunction(() => document.querySelectorAll('#fold-results tbody tr').length === 2);
    const [, [cut, fewer, , loss, moved]] = await cells(page, '#fold-results');
    assert.equal(cut, '1');
    assert.ok(count(fewer) < count(numbers) && Number(loss) > 0.3 && Number(loss) < 1 && Number(moved) > 1e-2, `${fewer} ${loss} ${moved}`);
    assert.match(await page.locator('#fold-results .finding').textContent(), /That is compression/);
    await leave(page);
  });
});
