// The files of an export: downloaded with true progress, checked, and kept by the browser where it lets us.

/** An error that says what kind it is: 'cancelled', 'missing', 'network', 'stalled', 'damaged', 'manifest', 'engine'. */
export class Fault extends Error {
  constructor(kind, message) {
    super(message);
    this.name = 'Fault';
    this.kind = kind;
  }
}

/** How our caches are called; others of the same origin (one host has many projects) are never touched. */
const OURS = 'overfold-';
const PREFIX = `${OURS}model `;

/** Milliseconds without a byte after which a download counts as stalled, if nothing else is said. */
export const PATIENCE = 20000;

/** SHA-256 in hexadecimal digits. */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Bytes that the browser keeps for us, the page's own parts included; null where it keeps nothing (a private window). */
export async function keptBytes() {
  try {
    let sum = 0;
    for (const name of await ours()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) sum += (await (await cache.match(request)).blob()).size;
    }
    return sum;
  } catch {
    return null;
  }
}

/** Deletes what the browser keeps for us. */
export async function forget() {
  for (const name of await ours()) await caches.delete(name);
}

const ours = async () => (await caches.keys()).filter((name) => name.startsWith(OURS));

/**
 * The files of one export. `patience`: milliseconds without a byte after which a download counts as stalled.
 */
export class Files {
  /** What did not go as wished and was got over. */
  notes = [];
  #url;
  #patience;
  #cache = null;

  constructor(url, patience = PATIENCE) {
    [this.#url, this.#patience] = [url, patience];
  }

  /** The text of the manifest: the newest, or the kept one where there is no network. */
  async manifest() {
    try {
      this.#cache = await caches.open(PREFIX + this.#url);
    } catch {
      this.notes.push('The browser keeps nothing here (a private window?): the model will be downloaded at each visit.');
    }
    try {
      const bytes = await this.#fetch(this.#url, () => {}, 'no-cache');
      await this.#keep(this.#url, bytes);
      return new TextDecoder().decode(bytes);
    } catch (fault) {
      const kept = fault.kind === 'network' || fault.kind === 'stalled' ? await this.#cache?.match(this.#url) : null;
      if (!kept) throw fault;
      this.notes.push('There is no network: the model is the one that the browser kept.');
      return kept.text();
    }
  }

  /**
   * The bytes of a file with the length and hash that the manifest gives; `onBytes` is told how many have come.
   *
   * A download that breaks, stalls or is damaged is tried once more, past the browser's own cache.
   */
  async read(name, { bytes: length, sha256: hash }, onBytes) {
    const url = new URL(encodeURI(name), this.#url);
    // The hash is part of the key: a new version of the file is another entry.
    const key = `${url}?sha256=${hash}`;
    const good = async (bytes) => bytes.length === length && (await sha256(bytes)) === hash;
    const kept = await this.#cache?.match(key);
    if (kept) {
      const bytes = new Uint8Array(await kept.arrayBuffer());
      if (await good(bytes)) {
        onBytes(length, true);
        return bytes;
      }
      this.notes.push(`${name}: what the browser had kept was damaged, and is downloaded again.`);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        const bytes = await this.#fetch(url, (count) => onBytes(Math.min(count, length), false), attempt > 1 ? 'reload' : 'default');
        if (!await good(bytes)) throw new Fault('damaged', `${name} did not arrive as the manifest describes it (${bytes.length} of ${length} bytes, SHA-256 compared). Load again; if it stays so, the file on the server is damaged.`);
        await this.#keep(key, bytes);
        return bytes;
      } catch (fault) {
        if (attempt === 2 || !['network', 'stalled', 'damaged'].includes(fault.kind)) throw fault;
        this.notes.push(`${name}: tried twice (${fault.kind}).`);
      }
    }
  }

  /** Forgets files of earlier versions; `wanted`: the manifest's `files`. */
  async tidy(wanted) {
    const hashes = new Set(Object.values(wanted).map((file) => file.sha256));
    for (const request of await this.#cache?.keys() ?? []) {
      const hash = new URL(request.url).searchParams.get('sha256');
      if (hash && !hashes.has(hash)) await this.#cache.delete(request);
    }
  }

  async #keep(key, bytes) {
    if (!this.#cache) return;
    try {
      await this.#cache.put(key, new Response(bytes));
    } catch {
      this.#cache = null;
      this.notes.push('The browser has no room to keep the model: it will be downloaded at each visit.');
    }
  }

  async #fetch(url, onBytes, cache) {
    const control = new AbortController();
    const name = new URL(url).pathname.split('/').pop();
    let timer;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => control.abort(), this.#patience);
    };
    try {
      wait();
      const response = await fetch(url, { signal: control.signal, cache });
      if (!response.ok) throw new Fault('missing', `${name}: the server answered ${response.status}. Is the whole folder there that \`overfold export-web\` wrote?`);
      const parts = [];
      let count = 0;
      for (const reader = response.body.getReader(); ;) {
        wait();
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        onBytes(count += value.length);
      }
      return new Uint8Array(await new Blob(parts).arrayBuffer());
    } catch (error) {
      if (error instanceof Fault) throw error;
      if (control.signal.aborted) throw new Fault('stalled', `${name}: no byte came for ${this.#patience / 1000} seconds. Load again; it goes on with this file.`);
      throw new Fault('network', `${name} could not be downloaded: is there a network? Load again; it goes on with this file.`);
    } finally {
      clearTimeout(timer);
    }
  }
}
