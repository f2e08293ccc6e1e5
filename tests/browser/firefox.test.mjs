// Another browser: Firefox, where the CPU computes. Playwright's protocol needs a Firefox of its own; puppeteer drives any.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { softmax } from './engine.mjs';
import { demo, serve } from './site.mjs';

const executablePath = [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox', '/Applications/Firefox.app/Contents/MacOS/firefox']
  .find((path) => path && existsSync(path));
if (!executablePath) console.log('skipped: there is no Firefox: apt install firefox-esr, or set FIREFOX');

describe('Firefox', { skip: !executablePath }, () => {
  const evaluation = JSON.parse(readFileSync(join(demo, 'evaluation.json')));
  let browser;
  let site;
  before(async () => { [browser, site] = await Promise.all([puppeteer.launch({ browser: 'firefox', executablePath }), serve('/some/folder/')]); });
  after(async () => { await browser?.close(); site?.close(); });

  test('lesson and engine work, and displayed is computed', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(120000);
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${site.url}#run`);
    await page.waitForSelector('html.live:not(.busy)');
    const click = (selector) => page.$eval(selector, (element) => element.click());
    await click('#run-load');
    await page.waitForSelector('#run-answer table');
    assert.match(await page.$eval('#run-where', (e) => e.textContent), /Runs on the CPU/);
    for (const k of [0, 5]) {
      const wanted = evaluation.logits.flatMap((model) => softmax(model[k]).map((p) => 100 * p));
      await page.$eval('#run-text', (area, text) => {
        area.value = text;
        area.dispatchEvent(new Event('input', { bubbles: true }));
      }, evaluation.texts[k][0]);
      await page.waitForFunction((wanted) => {
        const found = [...document.querySelectorAll('#run-answer td b')].map((e) => parseFloat(e.textContent));
        // Rounded to a tenth, and what two logits off by 2e-3 can do.
        return found.length === wanted.length && found.every((x, k) => Math.abs(x - wanted[k]) <= 0.16);
      }, {}, wanted);
    }
    await click('#fold-whole');
    await page.waitForSelector('#fold-results table');
    assert.match(await page.$eval('#fold-results .finding', (e) => e.textContent), /became chains of [\d,]+ and matrices again/);
    assert.deepEqual(complaints, []);
  });
});
