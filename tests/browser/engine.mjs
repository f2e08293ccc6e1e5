// What the tests of the engine share: pages with the engine loaded through its API.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture } from './site.mjs';

/** The logits that PyTorch gave, [model][text][class], and the texts. */
export const evaluation = JSON.parse(readFileSync(join(fixture, 'evaluation.json')));
export const manifest = JSON.parse(readFileSync(join(fixture, 'manifest.json')));

/** As in the engine's self-test, whose reason it shares. */
export const TOLERANCE = 2e-3;

export const softmax = (logits) => {
  const powers = logits.map(Math.exp);
  return powers.map((x) => x / powers.reduce((a, b) => a + b));
};

/** A page of the example: it has the policy of the page, and not its lesson. SwiftShader may take long. */
export async function blank(browser, site) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(240000);
  await page.goto(`${site.url}web/page/example.html`);
  return page;
}

/** A page whose `window.engine` is loaded, or `{ failed }` with the kind and message of the fault. */
export async function load(browser, site, options = {}) {
  const page = await blank(browser, site);
  return { page, ...await reload(page, options) };
}

/** Loads the engine in a page that is open. */
export const reload = (page, options = {}) => page.evaluate(async (options) => {
  const { load } = await import(new URL('engine.js', document.baseURI));
  window.changes = [];
  window.phases = [];
  try {
    window.engine = await load('../../fixture/manifest.json', {
      // SwiftShader on a busy machine may say nothing for longer than any GPU would.
      patience: 120000, ...options, onChange: (info) => window.changes.push(info),
      onProgress: (state) => window.phases.push(state),
    });
    return { info: window.engine.info(), phases: window.phases };
  } catch ({ kind, message }) {
    return { failed: { kind, message } };
  }
}, options);

export const classify = (page, text) => page.evaluate((text) => window.engine.classify(text), text);

/** The engine's worker; the lesson has another. */
export async function worker(page) {
  for (const worker of page.workers().toReversed()) {
    if (await worker.evaluate(() => typeof overfoldPanicked === 'function').catch(() => false)) return worker;
  }
  throw new Error('there is no worker of the engine');
}

/** Every text's logits, by every model, are PyTorch's. */
export async function agrees(page, count) {
  let worst = 0;
  for (const [k, [text]] of evaluation.texts.slice(0, count).entries()) {
    const { models } = await classify(page, text);
    assert.equal(models.length, 3);
    models.forEach(({ logits }, model) => logits.forEach((x, label) => { worst = Math.max(worst, Math.abs(x - evaluation.logits[model][k][label])); }));
  }
  assert.ok(worst < TOLERANCE, `largest difference ${worst}`);
  return worst;
}
