// The page in a real browser: what it shows, how it is used, what it asks the network for.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { launch, leave, live, number, numbers, serve, visit } from './site.mjs';

let browser;
let site;
before(async () => { [browser, site] = await Promise.all([launch(), serve('/some/folder/')]); });
after(async () => { await browser?.close(); site?.close(); });

const open = (hash = '', options = {}) => visit(browser, site.url + hash, options);

/** Sets a control as a hand would, and waits for the answer. */
async function set(page, name, value) {
  await page.locator(`input[type=number][data-control=${name}], input[type=text][data-control=${name}]`).fill(String(value));
  await page.waitForTimeout(30);
  await live(page);
}

const text = (page, selector) => page.locator(selector).evaluate((element) => element.textContent.replace(/\s+/g, ' ').trim());
const plain = (html) => html.replace(/<[^>]*>/g, '').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&').replace(/\s+/g, ' ').trim();

/** Equal words; numbers to 2 %, rounding errors to below 1e-5: SVDs differ in their last digits between machines. */
function same(found, wanted, where) {
  assert.equal(found.replace(number, '#'), wanted.replace(number, '#'), where);
  numbers(found).forEach((x, k) => {
    const y = numbers(wanted)[k];
    assert.ok(Math.abs(x - y) <= 0.02 * Math.max(1e-5 / 0.02, Math.abs(x), Math.abs(y)), `${where}: ${x} is not ${y}`);
  });
}

describe('what is shown', () => {
  test('everything is there without script', async () => {
    const page = await open('', { javaScriptEnabled: false });
    assert.equal(await page.locator('figure svg').count(), 14);
    assert.equal(await page.locator('figure figcaption b').count() >= 14, true);
    assert.equal(await page.locator('.controls:visible, [data-copy]:visible').count(), 0, 'no control that does nothing');
    await page.locator('#fig-cut summary').first().click();
    assert.match(await text(page, '#fig-cut table'), /Singular values of W/);
    await leave(page);
  });

  test('figures in the browser are those in the page', async () => {
    const [still, page] = [await open('', { javaScriptEnabled: false }), await open()];
    for (const part of ['figcaption', '.table', '.how p']) {
      const all = (of) => of.locator(`figure ${part}`).evaluateAll((found) => found.map((element) => element.textContent.replace(/\s+/g, ' ').trim()));
      const [wanted, found] = [await all(still), await all(page)];
      assert.equal(found.length, 14);
      found.forEach((words, k) => same(words, wanted[k], `figure ${k}, ${part}`));
    }
    await still.close();
    await leave(page);
  });

  for (const { hash, captions } of JSON.parse(readFileSync(new URL('golden.json', import.meta.url)))) {
    test(`displayed is computed: ${hash}`, async () => {
      const page = await open(hash);
      for (const [id, caption] of captions) same(await text(page, `#fig-${id} figcaption`), plain(caption), id);
      assert.equal(new URL(page.url()).hash, hash, 'the address stays');
      await leave(page);
    });
  }

  test('the surplus is the sum of squared bonds, whatever is typed', async () => {
    const page = await open();
    for (const [factors, bonds] of [['64,1 x 1,96', [64]], ['8,8 x 12,8', [64]], ['4,4,4 x 4,6,4', [16, 16]], ['2,2,2,2,2,2 x 2,2,2,2,2,3', [4, 16, 64, 24, 6]]]) {
      await set(page, 'chain', factors);
      const counters = (await page.locator('.counters b').allTextContents()).map((n) => Number(n.replaceAll(',', '')));
      const squares = bonds.reduce((sum, d) => sum + d * d, 0);
      assert.deepEqual(counters, [6144 + squares, 6144, squares, squares], factors);
    }
    await leave(page);
  });
});

describe('how it is used', () => {
  test('by keyboard alone', async () => {
    const page = await open();
    const seen = new Set();
    let last;
    for (let presses = 0; presses < 200; presses++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const e = document.activeElement;
        if (e === document.body) return null;
        const box = e.getBoundingClientRect();
        const style = getComputedStyle(e);
        const name = e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent;
        const header = document.querySelector('.top').getBoundingClientRect();
        return {
          key: e.id || `${e.tagName} ${name} ${e.value ?? ''} ${e.closest('figure')?.id ?? ''}`, name: name?.trim(),
          hidden: !e.closest('.top') && box.bottom > 0 && box.bottom <= header.bottom,
          outlined: e.matches('.item, .skip') || style.outlineStyle !== 'none',
        };
      });
      if (!at) break;
      assert.ok(at.name, `${at.key} has a name`);
      assert.ok(at.outlined, `${at.key} shows the focus`);
      assert.ok(!at.hidden, `${at.key} is not behind the header`);
      seen.add(at.key);
      last = at.key;
    }
    for (const control of ['row', 'cut', 'sweep', 'strength', 'bond', 'keep', 'fold', 'cores']) {
      assert.ok(seen.has(`${control}-range`) && seen.has(`${control}-number`), `${control} can be reached`);
    }
    for (const id of ['shape', 'chain', 'guess', 'seed-number', 'rows-number', 'file']) assert.ok(seen.has(id), `${id} can be reached`);
    assert.match(last, /fig-calculator|Words and symbols/);
    await leave(page);
  });

  test('arrow keys move the cut, and the address follows', async () => {
    const page = await open();
    await page.locator('#cut-range').focus();
    for (let k = 0; k < 4; k++) await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => location.hash === '#v=1&cut=20');
    await live(page);
    assert.match(await text(page, '#fig-cut figcaption'), /Keeping 20 of 64 .* = 3,200 numbers/);
    assert.equal(await page.locator('#cut-number').inputValue(), '20');
    await page.getByRole('button', { name: 'Singular values kept: one fewer' }).click();
    await page.waitForFunction(() => location.hash === '#v=1&cut=19');
    await leave(page);
  });

  test('an answer that comes late takes nothing back', async () => {
    const page = await open();
    const { captions, written } = await page.evaluate(() => new Promise((done) => {
      const [range, more, caption] = ['#cut-range', '[aria-label="Singular values kept: one more"]', '#fig-cut figcaption']
        .map((found) => document.querySelector(found));
      // All that is ever written into the slider, and every answer's caption, however close together they come.
      const [captions, written] = [[], []];
      const { get, set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
      Object.defineProperty(range, 'value', { get, set(value) { written.push(Number(value)); set.call(range, value); } });
      new MutationObserver(() => captions.push(caption.textContent)).observe(caption, { childList: true });
      const busy = () => document.documentElement.classList.contains('busy');
      const wait = (over, then) => (over() ? then() : setTimeout(wait, 5, over, then));
      wait(() => !busy(), () => {
        // The first is sent; the others wait for its answer.
        for (let k = 0; k < 3; k++) more.click();
        wait(() => !busy() && captions.at(-1)?.includes('Keeping 19 of 64'), () => done({ captions, written }));
      });
    }));
    assert.match(captions[0], /Keeping 17 of 64/, 'the answer to the first');
    assert.deepEqual(written.slice(0, 3), [17, 18, 19], 'the clicks');
    for (const value of written.slice(3)) assert.equal(value, 19, 'an answer');
    await leave(page);
  });

  test('a diagram is one stop, and its tensors have names', async () => {
    const page = await open();
    const items = page.locator('#fig-surplus .item');
    await items.first().focus();
    assert.match(await text(page, '#fig-surplus .detail'), /Core 1 of 3: 1 by 8 by 12 by 64, 6,144 numbers/);
    await page.keyboard.press('ArrowRight');
    assert.match(await text(page, '#fig-surplus .detail'), /Core 2 of 3: 64 by 1 by 1 by 64, 4,096 numbers; the identity/);
    await page.keyboard.press('End');
    assert.match(await text(page, '#fig-surplus .detail'), /Core 3 of 3/);
    await page.keyboard.press('Escape');
    assert.equal(await text(page, '#fig-surplus .detail'), '');
    await leave(page);
  });

  test('a letter in the words lights its leg in the picture', async () => {
    const page = await open();
    const width = () => page.locator('#fig-node .leg-j').first().evaluate((leg) => parseFloat(getComputedStyle(leg).strokeWidth));
    const before = await width();
    await page.locator('#node p i.j').first().hover();
    assert.ok(await width() > before);
    await page.locator('#node h2').hover();
    assert.equal(await width(), before);
    await leave(page);
  });

  test('the cut can be dragged', async () => {
    const page = await open();
    await page.locator('#fig-cut').scrollIntoViewIfNeeded();
    const box = await page.locator('#fig-cut .grip').boundingBox();
    await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await page.waitForFunction(() => /cut=3[123]/.test(location.hash));
    await leave(page);
  });

  test('only the newest of many moves is drawn to the end', async () => {
    const page = await open();
    await page.evaluate(() => {
      window.answers = 0;
      const figure = document.querySelector('#fig-cut figcaption');
      new MutationObserver(() => { window.answers++; }).observe(figure, { childList: true });
      const range = document.querySelector('#cut-range');
      for (let k = 0; k <= 60; k++) {
        range.value = k;
        range.dispatchEvent(new Event('input', { bubbles: true }));
      }
    });
    await page.waitForFunction(() => location.hash === '#v=1&cut=60');
    assert.ok(await page.evaluate(() => window.answers) < 20);
    assert.match(await text(page, '#fig-cut figcaption'), /Keeping 60 of 64/);
    await leave(page);
  });

  test('a number out of its limits is moved to the nearest, and the field shows it', async () => {
    const page = await open();
    await set(page, 'cut', 900);
    assert.match(await text(page, '#notes'), /900 became 64/);
    await page.keyboard.press('Tab');
    await page.waitForFunction(() => document.querySelector('#cut-number').value === '64');
    await leave(page);
  });

  test('a wrong factor list is explained, and the figures stay', async () => {
    const page = await open();
    const caption = await text(page, '#fig-profile figcaption');
    await set(page, 'shape', '4,4 x 4,6,4');
    assert.match(await text(page, '#shape-error'), /2 row factors and 3 column factors/);
    assert.equal(await page.locator('#shape').getAttribute('aria-invalid'), 'true');
    await set(page, 'shape', '4,4,8 x 4,6,4');
    assert.match(await text(page, '#shape-error'), /multiply to 128/);
    assert.equal(await text(page, '#fig-profile figcaption'), caption);
    await set(page, 'shape', '8,8 x 12,8');
    assert.equal(await page.locator('#shape-error').isVisible(), false);
    assert.match(await text(page, '#fig-profile figcaption'), /here 64\./);
    await leave(page);
  });

  test('an address with faults is mended, and says so', async () => {
    const page = await open('#v=1&cut=900&later=1');
    assert.match(await text(page, '#notes'), /cut goes from 0 to 64; 900 became 64/);
    assert.equal(new URL(page.url()).hash, '#v=1&cut=64&later=1', 'what is unknown is kept');
    await leave(page);
  });

  test('the address holds the view, whatever is clicked', async () => {
    const page = await open();
    await page.getByRole('link', { name: 'Fold', exact: true }).click();
    assert.equal(new URL(page.url()).hash, '#fold', 'a place, as long as nothing was changed');
    await set(page, 'keep', 9);
    assert.equal(new URL(page.url()).hash, '#v=1&keep=9');
    await page.getByRole('link', { name: 'Cut', exact: true }).click();
    await page.waitForFunction(() => location.hash === '#v=1&keep=9' && Math.abs(document.querySelector('#cut').getBoundingClientRect().top) < 100);
    await page.evaluate(() => { location.hash = '#v=1&cut=3'; });
    await page.waitForFunction(() => /Keeping 3 of 64/.test(document.querySelector('#fig-cut figcaption').textContent));
    assert.equal(await page.locator('#keep-number').inputValue(), '16');
    await leave(page);
  });

  test('a link to a section leads there, although the page grows while it opens', async () => {
    for (const place of ['fold', 'run', 'reference']) {
      const page = await open(`#${place}`);
      // Below the page's head, or as near as the end of the page lets it come.
      await page.waitForFunction((place) => {
        const { top } = document.getElementById(place).getBoundingClientRect();
        return (top >= 0 && top < 100) || scrollY + innerHeight >= document.documentElement.scrollHeight - 1;
      }, place);
      await leave(page);
    }
  });

  test('a teacher can hide sections or show one alone', async () => {
    const page = await open('#v=1&hide=hero,node');
    assert.equal(await page.locator('#hero').isVisible(), false);
    assert.equal(await page.locator('#cut').isVisible(), true);
    await page.goto('about:blank');
    await page.goto(`${site.url}#v=1&embed=surplus`);
    await live(page);
    assert.equal(await page.locator('main > section:visible').count(), 1);
    assert.equal(await page.locator('.top').isVisible(), false);
    await leave(page);
  });

  test('a teacher goes step by step', async () => {
    const page = await open('#v=1&step=2&hide=cut');
    const shown = () => page.locator('main > section:visible').evaluateAll((all) => all.map(({ id }) => id));
    const at = (hash) => page.waitForFunction((hash) => location.hash === hash, hash);
    assert.deepEqual(await shown(), ['hero', 'node']);
    assert.deepEqual(await page.locator('nav a:visible').allTextContents(), ['Overfold', 'Node']);
    assert.match(await text(page, '#steps p'), /^Step 2 of 11: A matrix is a node with two legs$/);
    // What is hidden is no step.
    await page.getByRole('button', { name: 'Next' }).click();
    await at('#v=1&hide=cut&step=4');
    assert.deepEqual(await shown(), ['hero', 'node', 'sweep']);
    assert.equal(await page.locator('#fig-rank').isVisible(), false, 'a part of a section');
    await page.waitForFunction(() => Math.abs(document.querySelector('#sweep h2').getBoundingClientRect().top) < 150);
    // By keys, but not those of a control.
    await page.keyboard.press('ArrowRight');
    await at('#v=1&hide=cut&step=5');
    assert.equal(await page.locator('#fig-rank').isVisible(), true);
    await page.locator('#sweep-range').focus();
    await page.keyboard.press('ArrowRight');
    await at('#v=1&sweep=4&hide=cut&step=5');
    await page.locator('#steps button').first().focus();
    await page.keyboard.press('ArrowLeft');
    await at('#v=1&sweep=4&hide=cut&step=4');
    await page.keyboard.press('Enter');
    await at('#v=1&sweep=4&hide=cut&step=2');
    await page.getByRole('button', { name: 'Show all' }).click();
    await at('#v=1&sweep=4&hide=cut');
    assert.deepEqual(await shown(), ['hero', 'node', 'sweep', 'surplus', 'fold', 'run', 'reference']);
    assert.equal(await page.locator('#steps').isVisible(), false);
    await page.getByRole('button', { name: 'Go step by step' }).click();
    await at('#v=1&sweep=4&hide=cut&step=1');
    assert.equal(await page.getByRole('button', { name: 'Back' }).isDisabled(), true);
    await page.keyboard.press('ArrowLeft');
    for (const step of [2, 4, 5, 6, 7, 8, 9, 10, 11]) {
      await page.keyboard.press('ArrowRight');
      await at(`#v=1&sweep=4&hide=cut&step=${step}`);
    }
    assert.equal(await page.getByRole('button', { name: 'Next' }).isDisabled(), true);
    await leave(page);
  });

  test('numbers and pictures can be copied', async () => {
    const page = await open();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.locator('#fig-profile summary').first().click();
    await page.locator('#fig-profile [data-copy=csv]').click();
    await page.waitForTimeout(100);
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^bond,Π left,Π right,d,.*\n1,8,768,8,/);
    await page.locator('#fig-profile [data-copy=svg]').click();
    await page.waitForTimeout(300);
    const svg = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg".*<style>[^]*--ink[^]*<\/svg>$/);
    await leave(page);
  });
});
