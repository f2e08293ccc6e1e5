// The model that comes with the page.
import { Files } from './engine-files.js';

export const MANIFEST = new URL('../demo/manifest.json', import.meta.url);

/** Its files, and what `manifest.json` says of them. */
export async function demo() {
  const files = new Files(MANIFEST);
  return { files, manifest: JSON.parse(await files.manifest()) };
}
