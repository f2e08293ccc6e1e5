// What the browser says about its GPU, before the engine touches it: Burn panics where a feature that it needs is absent.

/** What Burn's GPU back end cannot do without. */
const FEATURE = 'timestamp-query';
const LEAST = { maxStorageBuffersPerShaderStage: 8, maxComputeInvocationsPerWorkgroup: 256 };

/** The device that the engine works with, once it has one. */
export let device = null;

if (globalThis.GPUAdapter) {
  // Burn gives no handle to it; its loss has to be heard of all the same.
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function requestDevice(...options) {
    device = await request.apply(this, options);
    return device;
  };
}

/**
 * Whether WebGPU can be used: `why` is null, or the reason why not. `report` is for people.
 *
 * `largest`: bytes of the largest tensor. `software`: whether an adapter that computes on the CPU will do, which is slower
 * than doing without.
 */
export async function probe(largest, software) {
  if (!navigator.gpu) return { why: 'this browser has no WebGPU', report: {} };
  let adapter;
  try {
    adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (error) {
    return { why: `the browser refused WebGPU: ${error.message}`, report: {} };
  }
  if (!adapter) return { why: 'the browser has WebGPU, but no GPU that it lets pages use', report: {} };
  const { info = {}, limits, features } = adapter;
  const fallback = Boolean(info.isFallbackAdapter ?? adapter.isFallbackAdapter);
  const report = {
    name: [info.vendor, info.architecture, info.device, info.description].filter(Boolean).join(', ') || 'not told by the browser',
    backend: 'WebGPU, WGSL',
    software: fallback,
    features: [...features].sort(),
    limits: Object.fromEntries(['maxBufferSize', 'maxStorageBufferBindingSize', ...Object.keys(LEAST)].map((name) => [name, limits[name]])),
  };
  const lacking = Object.entries({ ...LEAST, maxStorageBufferBindingSize: largest }).find(([name, least]) => limits[name] < least);
  let why = null;
  if (fallback && !software) why = 'the browser’s only GPU is one computed by the CPU';
  else if (!features.has(FEATURE)) why = `the GPU lacks ${FEATURE}, which the engine needs`;
  else if (lacking) why = `the GPU’s ${lacking[0]} is ${limits[lacking[0]]}; the engine needs ${lacking[1]}`;
  return { why, report };
}

/** Milliseconds that `run` takes: median of up to `most` runs, within `budget` milliseconds after the third. */
export async function time(run, most, budget) {
  const times = [];
  for (const begin = performance.now(); times.length < most && (times.length < 3 || performance.now() - begin < budget);) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return { ms: times.toSorted((a, b) => a - b)[times.length >> 1], n: times.length };
}
