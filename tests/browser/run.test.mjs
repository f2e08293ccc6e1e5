// The panel that runs the model, as a visitor uses it.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { softmax } from './engine.mjs';
import { demo, launch, leave, live, serve, visit } from './site.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [evaluation, manifest] = ['evaluation.json', 'manifest.json'].map((name) => JSON.parse(readFileSync(join(demo, name))));
let browser;
let site;
before(async () => { [browser, site] = await Promise.all([launch(), serve('/some/folder/')]); });
after(async () => { await browser?.close(); site?.close(); });

const open = (options = {}, hash = '#run') => visit(browser, site.url + hash, { timeout: 120000, ...options });

/** Loads the model and waits for the first answer. */
async function run(page) {
  await page.locator('#run-load').click();
  await page.locator('#run-answer table').waitFor();
}

const percents = (page, selector) => page.locator(selector).evaluateAll((found) => found.map((e) => parseFloat(e.textContent)));

describe('the panel', () => {
  test('the size is told before anything is downloaded', async () => {
    const page = await open();
    await page.locator('#run-load', { hasText: /Load the model \([\d.]+ [kM]B and the engine\)/ }).waitFor();
    assert.deepEqual(site.asked.filter((url) => /safetensors|overfold-engine/.test(url)), []);
    await leave(page);
  });

  test('displayed is computed: probabilities are those of the stored logits', async () => {
    const page = await open();
    await run(page);
    for (const k of [0, 1, 4, 9]) {
      const text = evaluation.texts[k][0];
      await page.locator('#run-text').fill(text);
      const wanted = manifest.models.flatMap((_, model) => softmax(evaluation.logits[model][k]).map((p) => 100 * p));
      // Rounded to a tenth, and what two logits off by 2e-3 can do.
      await page.waitForFunction((wanted) => {
        const found = [...document.querySelectorAll('#run-answer td b')].map((e) => parseFloat(e.textContent));
        return found.length === wanted.length && found.every((x, k) => Math.abs(x - wanted[k]) <= 0.16);
      }, wanted);
      const widths = await page.locator('#run-answer .fill').evaluateAll((fills) => fills.map((e) => 100 * e.getBoundingClientRect().width / e.parentElement.clientWidth));
      widths.forEach((width, n) => assert.ok(Math.abs(width - wanted[n]) < 1, `bar ${n}: ${width} of ${wanted[n]}`));
    }
    await leave(page);
  });

  test('what is cut is shown', async () => {
    const page = await open();
    await run(page);
    await page.locator('#run-text').fill('wonderful '.repeat(3 * manifest.max_length));
    await page.locator('#run-cut', { hasText: /the last \d+ pieces were cut off, from “/ }).waitFor();
    await page.locator('#run-pieces summary').click();
    assert.equal(await page.locator('.pieces li').count(), manifest.max_length);
    await leave(page);
  });

  test('the models are checked, with n and an interval', async () => {
    const page = await open();
    await run(page);
    const n = evaluation.texts.length;
    await page.getByRole('button', { name: `Check on ${n} sentences` }).click();
    await page.locator('#run-scores table').waitFor();
    const rows = await page.locator('#run-scores tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
    assert.equal(rows.length, manifest.models.length);
    for (const [, right, accuracy, interval] of rows) {
      const [count, of] = right.split(' of ').map(Number);
      const [low, high] = interval.match(/[\d.]+/g).map(Number);
      assert.equal(of, n);
      assert.ok(Math.abs(100 * count / n - parseFloat(accuracy)) <= 0.051 && low <= parseFloat(accuracy) && parseFloat(accuracy) <= high);
    }
    await leave(page);
  });

  test('diagnostics are text, and what is kept can be deleted', async () => {
    const page = await open();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await run(page);
    await page.locator('#run-diagnostics').click();
    await page.getByRole('button', { name: 'Copy as text' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    for (const line of [/^model: /m, /^runs on: cpu: /m, /^cpu: [\d.]+ ms a sentence \(median of \d+\), largest error of a logit/m, /^browser: Mozilla/m]) assert.match(text, line);
    await page.locator('#run-forget').click();
    await page.getByRole('button', { name: 'Nothing is kept by the browser' }).waitFor();
    assert.match(await page.locator('#run-status').textContent(), /Deleted/);
    await leave(page);
  });

  test('the address chooses the device', async () => {
    const page = await open({}, '#v=1&device=cpu');
    assert.equal(await page.locator('#run-device').inputValue(), 'cpu');
    await run(page);
    assert.match(await page.locator('#run-where').textContent(), /Runs on the CPU: you asked for it/);
    assert.equal(new URL(page.url()).hash, '#v=1&device=cpu');
    await leave(page);
  });

  test('by keyboard alone', async () => {
    const page = await open();
    await page.locator('#run-device').focus();
    const press = async (id, key = 'Tab') => {
      for (let k = 0; k < 12 && await page.evaluate(() => document.activeElement.id) !== id; k++) await page.keyboard.press(key);
      assert.equal(await page.evaluate(() => document.activeElement.id), id);
    };
    await press('run-load');
    await page.keyboard.press('Enter');
    await page.locator('#run-answer table').waitFor();
    await press('run-text');
    await page.keyboard.type(' Really');
    await page.waitForFunction(() => document.querySelectorAll('#run-answer td b').length > 0);
    await press('run-check');
    await page.keyboard.press('Enter');
    await page.locator('#run-scores table').waitFor();
    await press('run-diagnostics');
    await page.keyboard.press('Enter');
    await press('run-report');
    await leave(page);
  });

  test('there is no model', async () => {
    const empty = await serve();
    empty.fault = (inside, body, response) => (inside.startsWith('web/demo/') ? void response.writeHead(404).end() : body);
    const page = await browser.newPage();
    await page.goto(empty.url);
    await live(page);
    await page.locator('#engine').scrollIntoViewIfNeeded();
    await page.locator('#run-status', { hasText: 'There is no model on this page' }).waitFor();
    assert.equal(await page.locator('#run-load').isDisabled(), true);
    await page.close();
    empty.close();
  });
});

test('the whole page works without a network at the second visit', async () => {
  const own = await serve('/some/folder/');
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(120000);
  await page.goto(`${own.url}#run`);
  await live(page);
  await run(page);
  // Until everything is kept that the page has loaded.
  const parts = [...new Set(own.asked)].filter((path) => /(\/|css|js|wasm)$/.test(path) && !path.endsWith('service-worker.js'));
  for (const end of ['overfold-engine_bg.wasm', 'overfold-web_bg.wasm', 'engine-worker.js', '/some/folder/']) assert.ok(parts.some((path) => path.endsWith(end)), end);
  await page.evaluate(async (parts) => {
    const kept = (path) => caches.match(new URL(path, location), { ignoreSearch: true });
    while (!(await Promise.all(parts.map(kept))).every(Boolean)) await new Promise((go) => setTimeout(go, 50));
  }, parts);
  own.close();
  await page.reload();
  await live(page);
  await run(page);
  assert.match(await page.locator('#run-where').textContent(), /There is no network: the model is the one that the browser kept/);
  await page.close();
});

describe('for everyone', () => {
  const looks = {
    light: {}, dark: { colorScheme: 'dark' }, phone: { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true },
    'forced colors': { forcedColors: 'active' }, 'reduced motion': { reducedMotion: 'reduce' },
  };
  for (const [name, look] of Object.entries(looks)) {
    test(`no violation of WCAG 2.2 AA, nothing sticks out: ${name}`, async () => {
      const page = await open(look);
      await run(page);
      await page.locator('#run-check').click();
      await page.locator('#run-scores table').waitFor();
      await page.locator('#fold-whole').click();
      await page.locator('#fig-bonds').waitFor();
      await page.evaluate(() => document.querySelectorAll('#run details').forEach((details) => { details.open = true; }));
      // At the top: what the page's head covers would count as too small.
      await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        axe.run('#run', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), look.viewport?.width ?? 1100);
      const small = await page.evaluate(() => [...document.querySelectorAll('#run :is(button, select, summary, textarea)')]
        .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24).map((e) => e.outerHTML.slice(0, 80)));
      assert.deepEqual(small, []);
      await leave(page);
    });
  }
});
