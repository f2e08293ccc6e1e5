// The engine in a real browser: it computes what PyTorch computes, on both devices, and chooses between them.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { agrees, classify, evaluation, load, manifest, worker } from './engine.mjs';
import { launch, serve } from './site.mjs';

let browser;
let gpu;
let site;
let other;
before(async () => { [browser, gpu, site, other] = await Promise.all([launch(), launch({ gpu: true }), serve('/some/folder/'), serve()]); });
after(async () => { await browser?.close(); await gpu?.close(); site?.close(); other?.close(); });

describe('on the CPU', () => {
  test('logits of all texts and models are those of PyTorch', async () => {
    const { page, info } = await load(browser, site);
    assert.equal(info.device, 'cpu');
    assert.match(info.why, /no GPU that it lets pages use/);
    const worst = await agrees(page, evaluation.logits[0].length);
    // f32 against f32: rounding only.
    assert.ok(worst < 1e-4, `${worst}`);
    await page.close();
  });

  test('progress is true, phases have names, and all that is downloaded is what the manifest lists', async () => {
    const { page, info, phases } = await load(browser, site);
    assert.deepEqual([...new Set(phases.map(({ phase }) => phase))], ['download', 'compile', 'open', 'test', 'time']);
    const downloads = phases.filter(({ phase, total }) => phase === 'download' && total);
    const sum = Object.values(manifest.files).reduce((bytes, file) => bytes + file.bytes, 0);
    assert.deepEqual([downloads.at(-1).loaded, downloads.at(-1).total], [sum, sum]);
    assert.ok(downloads.every(({ loaded, total }, k) => loaded <= total && loaded >= (downloads[k - 1]?.loaded ?? 0)));
    assert.deepEqual(info.bytes, { total: sum, cached: 0 });
    await page.close();
  });

  test('a text of any length is answered, and what is cut is told', async () => {
    const { page } = await load(browser, site);
    const long = await classify(page, 'the '.repeat(5000));
    assert.deepEqual([long.pieces.length, long.pieces[0], long.pieces.at(-1)], [manifest.max_length, '[CLS]', '[SEP]']);
    assert.equal(long.cut + long.pieces.length, 2 * 5000 + 2 - (long.pieces[1] === 'the' ? 5000 : 0));
    assert.ok(long.cut_pieces.length > 0 && long.cut_pieces.length < long.cut);
    const none = await classify(page, '');
    assert.deepEqual([none.pieces, none.cut], [['[CLS]', '[SEP]'], 0]);
    assert.ok(none.models.every(({ probabilities: [a, b] }) => Math.abs(a + b - 1) < 1e-12));
    await page.close();
  });

  test('the evaluation set is counted right', async () => {
    const { page } = await load(browser, site);
    const results = await page.evaluate(() => window.engine.evaluate());
    // The logits are stored for the first texts only; the others are classified one by one.
    for (const [model, { right, n, interval: [low, high] }] of results.entries()) {
      let wanted = 0;
      for (const [text, label] of evaluation.texts) {
        const { logits } = (await classify(page, text)).models[model];
        if (logits.indexOf(Math.max(...logits)) === label) wanted++;
      }
      assert.deepEqual([right, n], [wanted, evaluation.texts.length]);
      assert.ok(low < right / n && right / n < high && low >= 0 && high <= 1);
    }
    await page.close();
  });
});

describe('on the GPU', () => {
  test('asked for, it gives the logits of PyTorch', async () => {
    const { page, info } = await load(gpu, site, { device: 'gpu' });
    assert.deepEqual([info.device, info.why], ['gpu', 'you asked for it']);
    assert.ok(info.devices.gpu.error < 2e-3 && info.devices.gpu.ms > 0 && info.devices.cpu.ms > 0, JSON.stringify(info.devices));
    assert.ok(info.gpu.limits.maxStorageBufferBindingSize > 0 && info.gpu.features.includes('timestamp-query'));
    await agrees(page, 6);
    await page.close();
  });

  test('the faster device is taken, and both times are told', async () => {
    const { page, info } = await load(gpu, site);
    const { cpu, gpu: other } = info.devices;
    if (other) {
      assert.equal(info.device, other.ms < cpu.ms ? 'gpu' : 'cpu');
      assert.match(info.why, /faster here: [\d.]+ ms \(median of \d+\) against [\d.]+ ms/);
    } else {
      assert.match(info.why, /computed by the CPU/);
    }
    await page.close();
  });
});

test('the worker cannot reach another origin', async () => {
  const { page } = await load(browser, site);
  // The server there would allow it.
  assert.equal(await (await worker(page)).evaluate((url) => fetch(url).then(() => 'reached', () => 'refused'), other.url), 'refused');
  assert.deepEqual(other.asked, []);
  await page.close();
});
