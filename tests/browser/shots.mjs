// Pictures of the page to look at: node shots.mjs FOLDER [ADDRESS#hash]
import { mkdirSync } from 'node:fs';
import { launch, live, serve } from './site.mjs';

const folder = process.argv[2] ?? 'shots';
const hash = process.argv[3] ?? '';
mkdirSync(folder, { recursive: true });
const [site, browser] = [await serve(), await launch()];
const views = {
  light: { viewport: { width: 1100, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1100, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};
for (const [name, view] of Object.entries(views)) {
  const page = await browser.newPage(view);
  await page.goto(site.url + hash);
  await live(page);
  await page.locator('#run-load').click();
  await page.locator('#run-answer table').waitFor({ timeout: 120000 });
  // It would lie over the sections.
  await page.evaluate(() => { document.querySelector('.top').style.position = 'static'; });
  for (const id of ['hero', 'node', 'cut', 'sweep', 'surplus', 'fold', 'run', 'reference']) {
    await page.locator(`#${id}`).screenshot({ path: `${folder}/${name}-${id}.png` });
  }
  await page.close();
}
await browser.close();
site.close();
