// Lets the page open without a network. Answers come from the network, so that nothing is ever old; what was answered is kept
// for the day when there is none. The model is not its business: engine-files.js keeps that, with hashes.

const NAME = `overfold-page ${self.registration.scope}`;
/** The page and its parts. */
const PART = /(\/|\.html|\.css|\.js|\.wasm)$/;

/** Whether an address is a part of this page, and not of another one at the same host. */
const ours = (address) => address.startsWith(self.registration.scope) && PART.test(new URL(address).pathname);

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  if (event.request.method === 'GET' && ours(event.request.url)) event.respondWith(answer(event));
});

// What the page had loaded before this worker was there.
self.addEventListener('message', (event) => event.waitUntil(Promise.all(event.data.keep.filter(ours).map(async (address) => {
  const cache = await caches.open(NAME);
  if (!await cache.match(address, { ignoreSearch: true })) await cache.add(address).catch(() => {});
}))));

async function answer(event) {
  try {
    const response = await fetch(event.request);
    // Keeping is a favor: without room the page works as before.
    if (response.ok) event.waitUntil(keep(event.request, response.clone()).catch(() => {}));
    return response;
  } catch (error) {
    const kept = await caches.match(event.request, { ignoreSearch: true, cacheName: NAME });
    if (kept) return kept;
    throw error;
  }
}

const keep = async (request, response) => (await caches.open(NAME)).put(request, response);
