// Products with a fused multiply-add: the module is what its text says, and computes them at all sizes.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import wabt from 'wabt';
import { agrees, evaluation, load } from './engine.mjs';
import { launch, serve } from './site.mjs';

const source = new URL('../../web/engine/src/fused.', import.meta.url);
const [text, bytes] = ['wat', 'wasm'].map((ending) => readFileSync(new URL(source.href + ending)));

test('the module is assembled from its text', async () => {
  // After a change: tests/browser/node_modules/.bin/wat2wasm --enable-relaxed-simd fused.wat, in web/engine/src.
  const { buffer } = (await wabt()).parseWat('fused.wat', text, { relaxed_simd: true }).toBinary({});
  assert.deepEqual(Buffer.from(buffer), bytes);
});

describe('in a browser', () => {
  let browser;
  let site;
  before(async () => { [browser, site] = await Promise.all([launch(), serve()]); });
  after(async () => { await browser?.close(); site?.close(); });

  test('it computes all of y and nothing beside it', async () => {
    const page = await browser.newPage();
    await page.goto(site.url);
    const worst = await page.evaluate(async (bytes) => {
      const memory = new WebAssembly.Memory({ initial: 8 });
      const { instance } = await WebAssembly.instantiate(Uint8Array.from(bytes), { engine: { memory } });
      const numbers = new Float32Array(memory.buffer);
      let worst = 0;
      for (const [rows, input, output] of [[1, 4, 1], [2, 8, 4], [3, 12, 5], [5, 128, 7], [64, 384, 33], [7, 8, 2], [1, 8, 3]]) {
        const [x, weight] = [4, 4 + rows * input];
        const y = weight + output * input;
        numbers.fill(7);
        for (let k = x; k < y; k++) numbers[k] = Math.sin(k * k);
        instance.exports.product(4 * x, 4 * weight, 4 * y, rows, input, output);
        for (let place = 0; place < rows * output; place++) {
          let [exact, size] = [0, 0];
          for (let k = 0; k < input; k++) {
            const term = numbers[x + Math.floor(place / output) * input + k] * numbers[weight + (place % output) * input + k];
            [exact, size] = [exact + term, size + Math.abs(term)];
          }
          // In roundings of the sum of magnitudes; two for each term are allowed: its product and its sum.
          worst = Math.max(worst, Math.abs(numbers[y + place] - exact) / (size * 2 ** -24) / (2 * input));
        }
        const beside = [0, 1, 2, 3].flatMap((k) => [numbers[k], numbers[y + rows * output + k]]);
        if (beside.some((number) => number !== 7)) return Infinity;
      }
      return worst;
    }, [...bytes]);
    assert.ok(worst <= 1, `${worst}`);
    await page.close();
  });

  test('the engine has it where the browser does', async () => {
    const { page, info } = await load(browser, site);
    assert.equal(info.fused, await page.evaluate((bytes) => WebAssembly.validate(Uint8Array.from(bytes)), [...bytes]));
    assert.ok(info.fused, 'Chromium since 114');
    await page.close();
  });

  test('and does without it where the browser does not', async () => {
    // Another version of the module, as unknown as its instruction is to an older browser.
    site.fault = (inside, body) => {
      if (!inside.endsWith('overfold-engine_bg.wasm')) return body;
      const at = body.indexOf(bytes);
      assert.ok(at > 0);
      return Buffer.concat([body.subarray(0, at + 4), Buffer.from([9]), body.subarray(at + 5)]);
    };
    const { page, info } = await load(browser, site);
    site.fault = null;
    assert.equal(info.fused, false);
    const worst = await agrees(page, evaluation.logits[0].length);
    assert.ok(worst < 1e-4, `${worst}`);
    await page.close();
  });
});
