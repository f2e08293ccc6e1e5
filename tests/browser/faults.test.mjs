// What can go wrong with the engine, made to go wrong: each has its message, and what can be saved is saved.
import { after, afterEach, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { agrees, blank, classify, load, reload, worker } from './engine.mjs';
import { launch, serve } from './site.mjs';

let browser;
let gpu;
let site;
before(async () => { [browser, gpu, site] = await Promise.all([launch(), launch({ gpu: true }), serve()]); });
after(async () => { await browser?.close(); await gpu?.close(); site?.close(); });
afterEach(() => { site.fault = null; });

const weights = 'fixture/folded-0.safetensors';
const missing = (body, response) => { response.writeHead(404).end(); };
const flipped = (body) => { const copy = Buffer.from(body); copy[copy.length >> 1] ^= 1; return copy; };
const stalled = (body, response) => { response.write(body.subarray(0, 0.4 * body.length)); };
const refused = (body, response) => { response.destroy(); };

describe('the download', () => {
  const faults = {
    'a file is not there': [missing, 'missing', /folded-0\.safetensors: the server answered 404\. Is the whole folder there/, 1],
    'a byte is flipped': [flipped, 'damaged', /folded-0\.safetensors did not arrive as the manifest describes it \(18964 of 18964 bytes/, 2],
    'it stalls at 40 %': [stalled, 'stalled', /no byte came for 0\.5 seconds/, 2],
    'the connection breaks': [refused, 'network', /could not be downloaded: is there a network/, null],
  };
  for (const [words, [fault, kind, message, tries]] of Object.entries(faults)) {
    test(words, async () => {
      site.asked.length = 0;
      site.fault = (inside, body, response) => (inside === weights ? fault(body, response) : body);
      const { page, failed } = await load(browser, site, { patience: 500 });
      assert.equal(failed.kind, kind);
      assert.match(failed.message, message);
      // Where a connection breaks, the browser tries again by itself.
      if (tries) assert.equal(site.asked.filter((url) => url.endsWith(weights)).length, tries, 'tried again where that may help');
      // Once it is mended, loading goes on with the file at which it broke off.
      site.fault = null;
      const { info } = await reload(page);
      assert.ok(info.bytes.cached > 0 && info.bytes.cached < info.bytes.total);
      await agrees(page, 2);
      await page.close();
    });
  }

  test('a fault that passes is got over by the second try', async () => {
    let times = 0;
    site.fault = (inside, body) => (inside === weights && ++times === 1 ? flipped(body) : body);
    const { page, info } = await load(browser, site);
    assert.deepEqual(info.notes, ['folded-0.safetensors: tried twice (damaged).']);
    await agrees(page, 2);
    await page.close();
  });

  test('there is no export', async () => {
    site.fault = (inside, body, response) => (inside === 'fixture/manifest.json' ? missing(body, response) : body);
    const { page, failed } = await load(browser, site);
    assert.equal(failed.kind, 'missing');
    assert.match(failed.message, /manifest\.json: the server answered 404/);
    await page.close();
  });

  for (const [words, text, message] of [
    ['no manifest', 'hello', /is not what `overfold export-web` writes/],
    ['another version', (body) => JSON.stringify({ ...JSON.parse(body), version: 2 }), /version 2, expected 1/],
  ]) {
    test(`a manifest that is ${words}`, async () => {
      site.fault = (inside, body) => (inside === 'fixture/manifest.json' ? Buffer.from(typeof text === 'string' ? text : text(body)) : body);
      const { page, failed } = await load(browser, site);
      assert.match(failed.message, message);
      await page.close();
    });
  }

  test('it is cancelled, and goes on from there', async () => {
    site.fault = (inside, body, response) => (inside === weights ? stalled(body, response) : body);
    const page = await blank(browser, site);
    const kind = await page.evaluate(async () => {
      const { load } = await import(new URL('engine.js', document.baseURI));
      const control = new AbortController();
      // When the file has come that is read before the one that stalls.
      const onProgress = ({ loaded }) => loaded > 3000 && control.abort();
      return load('../../fixture/manifest.json', { signal: control.signal, onProgress }).catch(({ kind }) => kind);
    });
    assert.equal(kind, 'cancelled');
    await assert.rejects(worker(page), /there is no worker/);
    site.fault = null;
    const { info } = await reload(page);
    assert.ok(info.bytes.cached > 0);
    await agrees(page, 2);
    await page.close();
  });
});

describe('what the browser keeps', () => {
  test('the second visit needs no network', async () => {
    const { page } = await load(browser, site);
    site.fault = (inside, body, response) => (inside.startsWith('fixture/') ? refused(body, response) : body);
    const { info } = await reload(page);
    assert.equal(info.bytes.cached, info.bytes.total);
    assert.deepEqual(info.notes, ['There is no network: the model is the one that the browser kept.']);
    await agrees(page, 2);
    await page.close();
  });

  test('it can be deleted, and counted', async () => {
    const { page, info } = await load(browser, site);
    const bytes = await page.evaluate(async () => {
      const { forget, keptBytes } = await import(new URL('engine.js', document.baseURI));
      const other = await caches.open('of another project');
      const before = await keptBytes();
      await forget();
      return [before, await keptBytes(), await caches.has('of another project'), Boolean(other)];
    });
    assert.ok(bytes[0] >= info.bytes.total && bytes[0] < info.bytes.total + 4096);
    assert.deepEqual(bytes.slice(1), [0, true, true]);
    await page.close();
  });

  test('what it kept is damaged', async () => {
    const { page } = await load(browser, site);
    await page.evaluate(async () => {
      const [name] = await caches.keys();
      const cache = await caches.open(name);
      const request = (await cache.keys()).find(({ url }) => url.includes('folded-0'));
      await cache.put(request, new Response(new Uint8Array(18964)));
    });
    const { info } = await reload(page);
    assert.match(info.notes.join(), /folded-0\.safetensors: what the browser had kept was damaged, and is downloaded again/);
    await agrees(page, 2);
    await page.close();
  });

  const patches = {
    'a private window keeps nothing': ['Object.defineProperty(self, "caches", { get() { throw new DOMException("denied", "SecurityError"); } });', /keeps nothing here/],
    'there is no room': ['Cache.prototype.put = async () => { throw new DOMException("full", "QuotaExceededError"); };', /no room to keep the model/],
  };
  for (const [words, [patch, note]] of Object.entries(patches)) {
    test(words, async () => {
      site.fault = (inside, body) => (inside === 'web/page/engine-files.js' ? Buffer.concat([Buffer.from(patch), body]) : body);
      const { page, info } = await load(browser, site);
      assert.match(info.notes.join(), note);
      await agrees(page, 2);
      await page.close();
    });
  }
});

/** Puts a line before the script of the worker, so that it changes the browser that the engine meets. */
const patched = (line) => { site.fault = (inside, body) => (inside === 'web/page/engine-device.js' ? Buffer.concat([Buffer.from(line), body]) : body); };

describe('the GPU', () => {
  const absent = {
    'there is no WebGPU': ['if (self.WorkerNavigator) Object.defineProperty(WorkerNavigator.prototype, "gpu", { value: undefined });', /this browser has no WebGPU/],
    'the browser refuses': ['if (self.GPU) GPU.prototype.requestAdapter = async () => { throw new Error("not today"); };', /refused WebGPU: not today/],
    'it lacks timestamp-query': ['if (self.GPUAdapter) Object.defineProperty(GPUAdapter.prototype, "features", { get: () => new Set() });', /lacks timestamp-query/],
    'its device is refused': ['if (self.GPUAdapter) GPUAdapter.prototype.requestDevice = async () => { throw new DOMException("no device", "OperationError"); };', /WebGPU failed/],
  };
  for (const [words, [patch, why]] of Object.entries(absent)) {
    test(words, async () => {
      patched(patch);
      const { page, info } = await load(gpu, site, { device: 'gpu' });
      assert.equal(info.device, 'cpu');
      assert.match(info.why, why);
      await agrees(page, 2);
      await page.close();
    });
  }

  test('a shader does not compile: the CPU takes over', async () => {
    patched('if (self.GPUDevice) { const make = GPUDevice.prototype.createShaderModule; GPUDevice.prototype.createShaderModule = function (of) { return make.call(this, { ...of, code: of.code + "\\nnonsense" }); }; }\n');
    const { page, info } = await load(gpu, site, { device: 'gpu' });
    assert.equal(info.device, 'cpu');
    assert.match(info.why + info.failures.join(), /failed|stopped/);
    await agrees(page, 2);
    await page.close();
  });

  test('it computes nonsense: the CPU takes over', async () => {
    // The softmax of attention with powers of 2.
    patched('if (self.GPUDevice) { const make = GPUDevice.prototype.createShaderModule; GPUDevice.prototype.createShaderModule = function (of) { return make.call(this, { ...of, code: of.code.replaceAll(/\\bexp\\(/g, "exp2(") }); }; }\n');
    const { page, info } = await load(gpu, site, { device: 'gpu' });
    assert.equal(info.device, 'cpu');
    assert.match(info.why, /its logits are up to [\d.]+ from those stored with the model/);
    await page.close();
  });

  test('it is lost: rebuilt once, then the CPU', async () => {
    const { page } = await load(gpu, site, { device: 'gpu' });
    const lose = async () => (await worker(page)).evaluate(async (url) => (await import(url)).device.destroy(), `${site.url}web/page/engine-device.js`);
    await lose();
    await page.waitForFunction(() => window.changes.length === 1);
    assert.equal((await page.evaluate(() => window.engine.info())).device, 'gpu');
    await agrees(page, 1);
    await lose();
    await page.waitForFunction(() => window.changes.length === 2);
    const info = await page.evaluate(() => window.engine.info());
    assert.equal(info.device, 'cpu');
    assert.match(info.why, /the GPU was lost/);
    await agrees(page, 2);
    await page.close();
  });
});

test('the worker is killed: what was asked is answered by the next one', async () => {
  const { page } = await load(browser, site, { patience: 1500 });
  await (await worker(page)).evaluate(() => self.close()).catch(() => {});
  const { models } = await classify(page, 'A dull film.');
  assert.equal(models.length, 3);
  const info = await page.evaluate(() => window.engine.info());
  assert.match(info.failures.join(), /silent for 3 seconds/);
  await page.close();
});

test('a worker that dies again and again is given up, with the reasons', async () => {
  site.fault = (inside, body) => (inside === 'web/page/engine-worker.js' ? Buffer.from('throw new Error("dead on arrival")') : body);
  const { page, failed } = await load(browser, site);
  assert.match(failed.message, /stopped three times: .*dead on arrival.*Reload the page/);
  await page.close();
});
