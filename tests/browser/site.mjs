// A static file server that sends no header of its own but the type, at a sub-path, and a Chromium.
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' };
export const dist = process.env.OVERFOLD_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url));
const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find((path) => path && existsSync(path));

/** Serves the page under `path`; also counts what is asked of it. */
export async function serve(path = '/') {
  const asked = [];
  const server = createServer(async ({ url }, response) => {
    asked.push(url);
    const { pathname } = new URL(url, 'http://localhost');
    const inside = pathname.startsWith(path) ? pathname.slice(path.length) || 'index.html' : null;
    try {
      if (inside === null) throw new Error('outside');
      const file = join(dist, normalize('/' + inside));
      response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
      // For the server that stands for another origin: it would allow everything.
      response.setHeader('access-control-allow-origin', '*');
      response.end(await readFile(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${server.address().port}${path}`, asked, close: () => server.close() };
}

export function launch() {
  if (!found) throw new Error('there is no Chromium: apt install chromium, or set CHROMIUM');
  return chromium.launch({ executablePath: found, args: ['--no-sandbox'] });
}

/** Waits until the lesson answers and has nothing left to do. */
export async function live(page) {
  await page.waitForFunction(() => document.documentElement.classList.contains('live') && !document.documentElement.classList.contains('busy'));
}
