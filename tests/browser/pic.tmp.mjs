import { launch, serve } from './site.mjs';
import { readFileSync } from 'node:fs';
const [b, site] = await Promise.all([launch(), serve()]);
for (const [name, view] of Object.entries({ light: { viewport: { width: 1100, height: 900 } }, dark: { viewport: { width: 1100, height: 900 }, colorScheme: 'dark' }, phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true } })) {
  const page = await b.newPage(view);
  page.on('console', (m) => console.log(name, m.text())); page.on('pageerror', (m) => console.log(name, m.message));
  await page.goto(site.url + '#run');
  await page.waitForTimeout(1500);
  if (name === 'light') await page.locator('#run').screenshot({ path: '/tmp/p-start.png' });
  await page.locator('#run-load').click();
  await page.locator('#run-live').waitFor({ state: 'visible', timeout: 60000 });
  await page.waitForTimeout(700);
  await page.locator('#run-check').click();
  await page.locator('#run-scores table').waitFor({ timeout: 60000 });
  await page.evaluate(() => document.querySelectorAll('#run details').forEach((d) => { d.open = true; }));
  await page.evaluate(() => { document.querySelector('.top').style.position = 'static'; });
  await page.locator('#run').screenshot({ path: `/tmp/p-${name}.png` });
}
await b.close(); site.close();
