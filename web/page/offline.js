// Lets the page open without a network, where the browser allows it (service-worker.js).

/** Has parts of the page kept that were loaded elsewhere. */
export async function keep(addresses) {
  try {
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage({ keep: addresses });
  } catch {
    // A private window, or a host without https: the page needs its network then.
  }
}

async function begin() {
  try {
    await navigator.serviceWorker.register(new URL('../../service-worker.js', import.meta.url));
  } catch {
    return;
  }
  await keep([location.href.split('#')[0], ...performance.getEntriesByType('resource').map(({ name }) => name)]);
}

// Reading comes first, then the figures.
if (navigator.serviceWorker) addEventListener('load', () => setTimeout(begin, 1500));
