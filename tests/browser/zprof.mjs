import { launch, live, serve } from './site.mjs';
const [site, browser] = [await serve(), await launch()];
const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
await page.goto(site.url); await live(page);
const side = 256;
if (process.argv[2]) {
const header = JSON.stringify({ w: { dtype: 'F32', shape: [side, side], data_offsets: [0, 4 * side * side] } });
const buffer = Buffer.concat([Buffer.alloc(8), Buffer.from(header), Buffer.alloc(4 * side * side)]);
buffer.writeBigUInt64LE(BigInt(header.length));
for (let k = 0; k < side * side; k++) { const [i, j] = [Math.floor(k / side), k % side]; buffer.writeFloatLE(Math.sin(i * j / 300) + (k * 7919 % 1000) / 2000, 8 + header.length + 4 * k); }
await page.locator('#file').setInputFiles({ name: 'own.safetensors', mimeType: 'application/octet-stream', buffer });
await page.locator('#fig-cut figcaption', { hasText: `of ${side} singular values` }).waitFor({ timeout: 60000 });
}
const cdp = await browser.newBrowserCDPSession();
const { targetInfos } = await cdp.send('Target.getTargets');
const pageCdp = await page.context().newCDPSession(page);
const sessions = [];
pageCdp.on('Target.attachedToTarget', (e) => sessions.push(e));
await pageCdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
await new Promise((r) => setTimeout(r, 300));
let id = 0; const pending = new Map();
pageCdp.on('Target.receivedMessageFromTarget', ({ message }) => { const m = JSON.parse(message); pending.get(m.id)?.(m.result); });
const send = (s, method, params = {}) => new Promise((r) => { id++; pending.set(id, r); pageCdp.send('Target.sendMessageToTarget', { sessionId: s, message: JSON.stringify({ id, method, params }) }); });
const w = sessions.find((s) => s.targetInfo.type === 'worker').sessionId;
await send(w, 'Profiler.enable'); await send(w, 'Profiler.setSamplingInterval', { interval: 100 }); await send(w, 'Profiler.start');
await page.evaluate(async ([name, from, to]) => {
  const input = document.querySelector(`#${name}-range`);
  for (let k = 0; k < 60; k++) {
    input.value = from + Math.round(k * (to - from) / 60);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    while (!document.documentElement.classList.contains('busy')) await new Promise((done) => setTimeout(done));
    while (document.documentElement.classList.contains('busy')) await new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); });
  }
}, [process.argv[3] ?? 'cut', 1, process.argv[2] ? side : 64]);
const { profile } = await send(w, 'Profiler.stop');
const self = new Map(); const byId = new Map(profile.nodes.map((n) => [n.id, n])); const parent = new Map(); for (const n of profile.nodes) for (const c of n.children ?? []) parent.set(c, n.id);
const total = new Map();
profile.samples.forEach((s, k) => { const d = profile.timeDeltas[k]; const seen = new Set(); let at = s; self.set(byId.get(s).callFrame.functionName, (self.get(byId.get(s).callFrame.functionName) ?? 0) + d); while (at) { const f = byId.get(at).callFrame.functionName; if (!seen.has(f)) { seen.add(f); total.set(f, (total.get(f) ?? 0) + d); } at = parent.get(at); } });
const top = (m) => [...m].sort((a, b) => b[1] - a[1]).slice(0, 28).map(([f, t]) => `${(t / 60000).toFixed(2)} ms ${f.slice(0, 110)}`).join('\n');
console.log('SELF\n' + top(self)); console.log('TOTAL\n' + top(total));
await browser.close(); site.close();
