// All that it takes: load an export, ask it, show the answer.
import { load } from './engine.js';

const [button, bar, input, output] = ['button', 'progress', 'input', 'output'].map((tag) => document.querySelector(tag));

button.addEventListener('click', async () => {
  button.disabled = true;
  try {
    const engine = await load('../demo/manifest.json', {
      device: 'auto',
      onProgress: ({ phase, loaded, total }) => { output.value = phase; if (total) bar.value = loaded / total; },
    });
    const { manifest: { labels }, device, why } = engine.info();
    console.info(`runs on ${device}: ${why}`);
    const show = async () => {
      const { models: [{ probabilities }], ms } = await engine.classify(input.value);
      output.value = `${labels.map((label, k) => `${label} ${(100 * probabilities[k]).toFixed(1)} %`).join(', ')} in ${ms.toFixed(1)} ms`;
    };
    input.addEventListener('input', show);
    await show();
  } catch (error) {
    output.value = error.message;
    button.disabled = false;
  }
});
