// Nothing leaves the page, a visitor's file cannot harm it, and it can be used by everyone.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { file, floats, launch, leave, live, serve, visit } from './site.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let browser;
let site;
let other;
before(async () => { [browser, site, other] = await Promise.all([launch(), serve(), serve()]); });
after(async () => { await browser?.close(); site?.close(); other?.close(); });

const open = (hash = '', options = {}) => visit(browser, site.url + hash, options);

describe('nothing leaves', () => {
  test('no other origin is asked', async () => {
    const page = await browser.newPage();
    const hosts = new Set();
    page.on('request', (request) => { if (request.url().startsWith('http')) hosts.add(new URL(request.url()).host); });
    await page.goto(site.url);
    await live(page);
    assert.deepEqual([...hosts], [new URL(site.url).host]);
    await page.close();
  });

  test('neither page nor worker could reach one', async () => {
    const page = await open();
    // The server there would allow it, and counts what it is asked.
    const reach = async (where) => where.evaluate((url) => fetch(url).then(() => 'reached', () => 'refused'), other.url);
    assert.equal(await reach(page), 'refused');
    assert.equal(await reach(page.workers()[0]), 'refused');
    assert.deepEqual(other.asked, []);
    await page.close();
  });
});

describe("a visitor's own file", () => {
  const give = async (page, buffer) => {
    await page.locator('#file').setInputFiles({ name: 'own.safetensors', mimeType: 'application/octet-stream', buffer });
    await page.waitForTimeout(60);
    await live(page);
  };

  test('its matrix is shown, and its names are only text', async () => {
    const page = await open();
    const name = '<img src=x onerror=alert(1)>';
    // 12×12, rank 1: outer product.
    await give(page, file([[name, 'F32', [12, 12], floats(144, (k) => (Math.floor(k / 12) + 1) * ((k % 12) + 1))], ['b', 'F32', [300, 300], floats(90000, (k) => Math.sin(k * k))]]));
    assert.match(await page.locator('#fig-cut figcaption').textContent(), /half of ‖W‖ takes 1 of them/);
    assert.match(await page.locator('#fig-cut .how p').textContent(), /<img src=x onerror=alert\(1\)> in the file own.safetensors/);
    assert.equal(await page.locator('main img').count(), 0);
    await page.locator('#file-matrix').selectOption('b');
    await page.waitForTimeout(60);
    await live(page);
    assert.match(await page.locator('#fig-cut .how p').textContent(), /rows 0 to 255 and columns 0 to 255 of b/);
    assert.match(new URL(page.url()).hash, /matrix=own/);
    await page.locator('input[name=matrix][value=query]').check();
    await page.waitForTimeout(60);
    await live(page);
    assert.match(await page.locator('#fig-cut figcaption').textContent(), /of 64 singular values/);
    await leave(page);
  });

  const huge = Buffer.alloc(16);
  huge.writeBigUInt64LE(1n << 60n);
  const bad = {
    'no safetensors': [Buffer.from('hello, this is a text'), /no safetensors file/],
    'three bytes': [Buffer.from('abc'), /has 3 bytes/],
    'a header of 2^60 bytes': [huge, /header would have 1152921504606846976 bytes/],
    'cut off': [file([['w', 'F32', [4, 4], floats(16, Math.sin)]]).subarray(0, 90), /not in the file/],
    'a shape that lies': [file([['w', 'F32', [4, 5], floats(16, Math.sin)]]), /64 bytes do not hold the shape/],
    'NaN': [file([['w', 'F32', [4, 4], floats(16, (k) => (k === 6 ? NaN : k))]]), /NaN at row 1, column 2/],
    'no matrix': [file([['w', 'F32', [16], floats(16, Math.sin)]]), /no matrix in F32, F16 or BF16/],
  };
  for (const [words, [buffer, message]] of Object.entries(bad)) {
    test(`refused: ${words}`, async () => {
      const page = await open();
      await give(page, buffer);
      assert.match(await page.locator('#notes').textContent(), message);
      assert.match(await page.locator('#fig-cut figcaption').textContent(), /Keeping 16 of 64/, 'the page goes on');
      await page.close();
    });
  }
});

describe('for everyone', () => {
  const looks = {
    light: {},
    dark: { colorScheme: 'dark' },
    phone: { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true },
    'forced colors': { forcedColors: 'active' },
    'reduced motion': { reducedMotion: 'reduce' },
    'step by step': { hash: '&step=9' },
    'step by step on a phone': { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, hash: '&step=9' },
  };
  for (const [name, { hash = '', ...look }] of Object.entries(looks)) {
    test(`no violation of WCAG 2.2 AA: ${name}`, async () => {
      const page = await open(`#v=1&matrix=positions&guess=3${hash}`, look);
      await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`), []);
      assert.deepEqual(page.complaints, []);
      await page.close();
    });
  }

  for (const width of [320, 360, 768]) {
    test(`nothing sticks out at ${width} px`, async () => {
      const page = await open('', { viewport: { width, height: 700 } });
      const wide = await page.evaluate(() => [...document.querySelectorAll('main *')]
        .filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest('.picture, .table, .scroll')).map((e) => e.outerHTML.slice(0, 90)));
      assert.deepEqual(wide, []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      const cut = await page.evaluate(() => [...document.querySelectorAll('figure svg text')]
        .filter((text) => { const box = text.getBoundingClientRect(); return box.right > innerWidth + 1 || box.left < -1; })
        .map((text) => `${text.closest('figure').id}: ${text.textContent}`));
      assert.deepEqual(cut, [], 'no text is cut off');
      await page.close();
    });
  }

  test('buttons and fields are large enough for a finger', async () => {
    const page = await open('', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    const small = await page.evaluate(() => [...document.querySelectorAll('button, input, summary, select, nav a')]
      .filter((e) => e.checkVisibility()).map((e) => [e.outerHTML.slice(0, 80), (e.labels?.[0]?.contains(e) ? e.labels[0] : e).getBoundingClientRect()])
      .filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html));
    assert.deepEqual(small, []);
    await page.close();
  });

  test('on paper there are figures and no controls', async () => {
    const page = await open();
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.controls:visible, [data-copy]:visible, .top:visible').count(), 0);
    assert.equal(await page.locator('figure svg:visible').count(), 14);
    await page.close();
  });

  test('each section with questions is a worksheet: its pictures as they are, its questions, room for answers', async () => {
    const page = await open('#v=1&cut=9');
    await page.evaluate(() => { window.print = () => { window.printed = true; }; });
    const sections = ['node', 'cut', 'sweep', 'surplus', 'fold', 'run', 'reference'];
    assert.deepEqual(await page.locator('.try').evaluateAll((all) => all.map((e) => e.closest('section').id)), sections);
    for (const id of sections) {
      await page.emulateMedia({ media: 'screen' });
      await page.locator(`#${id}`).getByRole('button', { name: 'Print as a worksheet' }).press('Enter');
      await page.waitForFunction(() => window.printed);
      await page.emulateMedia({ media: 'print' });
      assert.deepEqual(await page.locator('main > section:visible').evaluateAll((all) => all.map((e) => e.id)), [id]);
      const section = page.locator(`#${id}`);
      assert.equal(await section.locator('figure svg:visible').count(), await section.locator('figure').count(), `${id}: all pictures`);
      assert.equal(await section.locator(':is(figcaption, button, input, .controls, details):visible').count(), 0, `${id}: no captions, no controls`);
      assert.match(await section.locator('.head').innerText(), /^Name:\s+Date:\s+http.*#v=1&cut=9$/);
      const rooms = await section.locator('.try li').evaluateAll((all) => all.map((e) => parseFloat(getComputedStyle(e, '::after').height)));
      assert.ok(rooms.length >= 3 && rooms.every((room) => room > 60), `${id}: ${rooms}`);
      await page.evaluate(() => { window.printed = false; dispatchEvent(new Event('afterprint')); });
      assert.equal(await page.locator('.sheet, .worksheet, .head').count(), 0, 'the page is as it was');
    }
    await page.emulateMedia({ media: 'screen' });
    assert.equal(await page.locator('main > section:visible').count(), 8);
    await leave(page);
  });
});
