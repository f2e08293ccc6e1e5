// How long the page takes from a move of a control to the new picture: node timing.mjs
import { launch, live, serve } from './site.mjs';

const [site, browser] = [await serve(), await launch()];
const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
const before = Date.now();
await page.goto(site.url);
await live(page);
console.log(`open to first answer: ${Date.now() - before} ms`);
const controls = { cut: [1, 64], step: [0, 7], row: [1, 3], strength: [0, 20], keep: [1, 64], fold: [0, 2], cores: [2, 12] };
for (const [name, [from, to]] of Object.entries(controls)) {
  const times = await page.evaluate(async ([name, from, to]) => {
    const input = document.querySelector(`#${name}-range`);
    const all = [];
    for (let k = 0; k < 21; k++) {
      input.value = from + (k % (to - from + 1));
      const start = performance.now();
      input.dispatchEvent(new Event('input', { bubbles: true }));
      while (!document.documentElement.classList.contains('busy')) await new Promise((done) => setTimeout(done));
      while (document.documentElement.classList.contains('busy')) await new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); });
      all.push(performance.now() - start);
    }
    return all.sort((a, b) => a - b);
  }, [name, from, to]);
  console.log(`${name}: median ${times[10].toFixed(1)} ms, worst ${times[20].toFixed(1)} ms of 21`);
}
await browser.close();
site.close();
