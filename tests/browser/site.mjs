// A static file server that sends no header of its own but the type, at a sub-path, and a Chromium.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm' };
export const dist = process.env.OVERFOLD_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url));
const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find((path) => path && existsSync(path));

/** Three random models with logits by PyTorch (tests/python/small_export.py). They are the demo where there is no other. */
export const fixture = fileURLToPath(new URL('fixture', import.meta.url));
/** The demo's model. */
export const demo = existsSync(join(dist, 'web/demo/manifest.json')) ? join(dist, 'web/demo') : fixture;
const places = { 'fixture/': fixture, 'web/demo/': demo };

function locate(inside) {
  const place = Object.keys(places).find((prefix) => inside.startsWith(prefix));
  return place ? join(places[place], normalize('/' + inside.slice(place.length))) : join(dist, normalize('/' + inside));
}

/**
 * Serves the page under `path`; also counts what is asked of it. `site.fault`, if set, is asked first, with the path inside, the
 * file's bytes and the response, and gives other bytes, or undefined if it has answered by itself.
 */
export async function serve(path = '/') {
  const asked = [];
  const site = { asked, fault: null };
  const server = createServer(async ({ url }, response) => {
    asked.push(url);
    const { pathname } = new URL(url, 'http://localhost');
    const inside = pathname.startsWith(path) ? pathname.slice(path.length) || 'index.html' : null;
    try {
      if (inside === null) throw new Error('outside');
      const file = locate(inside);
      response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
      // For the server that stands for another origin: it would allow everything.
      response.setHeader('access-control-allow-origin', '*');
      const body = await readFile(file);
      const sent = site.fault ? site.fault(inside, body, response) : body;
      if (sent !== undefined) response.end(sent);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return Object.assign(site, {
    url: `http://127.0.0.1:${server.address().port}${path}`,
    // Also what a fault left open.
    close: () => { server.close(); server.closeAllConnections(); },
  });
}

/** `gpu`: with WebGPU, computed by SwiftShader; without, there is `navigator.gpu`, but no adapter. */
export function launch({ gpu = false } = {}) {
  if (!found) throw new Error('there is no Chromium: apt install chromium, or set CHROMIUM');
  const webgpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
  return chromium.launch({ executablePath: found, args: ['--no-sandbox', '--disable-background-networking', ...(gpu ? webgpu : [])] });
}

/** Waits until the lesson answers and has nothing left to do. */
export async function live(page) {
  await page.waitForFunction(() => document.documentElement.classList.contains('live') && !document.documentElement.classList.contains('busy'));
}

/**
 * A page that has loaded the lesson. What stands on its console is in `page.complaints`, whom it asked in `page.origins`; `timeout`:
 * milliseconds after which waiting fails, if not 30 seconds.
 */
export async function visit(browser, url, { timeout, ...options } = {}) {
  const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, ...options });
  if (timeout) page.setDefaultTimeout(timeout);
  page.complaints = [];
  page.on('console', (message) => page.complaints.push(message.text()));
  page.on('pageerror', (error) => page.complaints.push(error.message));
  page.origins = new Set();
  page.on('request', (request) => page.origins.add(new URL(request.url()).protocol + new URL(request.url()).host));
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await live(page);
  return page;
}

/** Closes a page on whose console nothing may stand. */
export async function leave(page) {
  assert.deepEqual(page.complaints, [], 'the console is quiet');
  await page.close();
}

/** A number as the page writes it, and all of a text. */
export const number = /\d[\d,]*(?:\.\d+)?(?:e-?\d+)?/g;
export const numbers = (text) => (text.match(number) ?? []).map((digits) => Number(digits.replaceAll(',', '')));

/** A safetensors file. */
export function file(tensors, mend = (header) => header) {
  let [at, header, data] = [0, {}, []];
  for (const [name, dtype, shape, bytes] of tensors) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    data.push(bytes);
    at += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(mend(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...data]);
}

/** Its bytes of a tensor of F32. */
export const floats = (count, value) => Buffer.from(new Float32Array(Array.from({ length: count }, (_, k) => value(k))).buffer);
