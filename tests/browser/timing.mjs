// How long the page takes from a move of a control to the new picture, for the built-in matrix and for the most numbers that
// are shown at once: node timing.mjs
import { file, floats, launch, live, serve } from './site.mjs';

const [site, browser] = [await serve(), await launch()];
const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
const before = Date.now();
await page.goto(site.url);
await live(page);
console.log(`open to first answer: ${Date.now() - before} ms`);
// Work of the page's own scripts that would make it stutter, from here on; this file's polling is not the page's.
await page.evaluate(() => {
  window.long = [];
  new PerformanceObserver((list) => {
    const scripts = list.getEntries().flatMap((frame) => frame.scripts).filter(({ sourceURL, duration }) => sourceURL.startsWith(location.origin) && duration > 50);
    window.long.push(...scripts.map(({ duration, invoker }) => `${duration.toFixed(0)} ms by ${invoker}`));
  }).observe({ type: 'long-animation-frame' });
});
const measure = async (matrix, controls) => {
  for (const [name, [from, to]] of Object.entries(controls)) {
    const times = await page.evaluate(async ([name, from, to]) => {
      const input = document.querySelector(`#${name}-range`);
      const all = [];
      for (let k = 0; k < 21; k++) {
        input.value = from + Math.round(k * (to - from) / 20);
        const start = performance.now();
        input.dispatchEvent(new Event('input', { bubbles: true }));
        while (!document.documentElement.classList.contains('busy')) await new Promise((done) => setTimeout(done));
        while (document.documentElement.classList.contains('busy')) await new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); });
        all.push(performance.now() - start);
        // A hand moves on when it has seen the picture.
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      }
      return all.sort((a, b) => a - b);
    }, [name, from, to]);
    console.log(`${matrix}, ${name}: median ${times[10].toFixed(1)} ms, worst ${times[20].toFixed(1)} ms of 21`);
  }
};
await measure('built in', { cut: [1, 64], sweep: [0, 7], row: [1, 3], strength: [0, 20], keep: [1, 64], fold: [0, 2], cores: [2, 12] });
const side = 256;
// Singular values that fall, and noise.
const values = floats(side * side, (k) => Math.sin(Math.floor(k / side) * (k % side) / 300) + (k * 7919 % 1000) / 2000);
const buffer = file([['w', 'F32', [side, side], values]]);
await page.locator('#file').setInputFiles({ name: 'own.safetensors', mimeType: 'application/octet-stream', buffer });
await page.locator('#fig-cut figcaption', { hasText: `of ${side} singular values` }).waitFor({ timeout: 60000 });
await measure(`${side} × ${side}`, { cut: [1, side], sweep: [0, 7], strength: [0, 20], keep: [1, side] });
await page.locator('#run-load').click();
await page.locator('#run-answer table').waitFor({ timeout: 120000 });
await page.locator('#fold-whole').click();
await page.locator('#fold-results table').waitFor({ timeout: 120000 });
const long = await page.evaluate(() => window.long);
console.log(`main thread: ${long.length} tasks above 50 ms${long.map((task) => `, ${task}`).join('')}`);
await browser.close();
site.close();
