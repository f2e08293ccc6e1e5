// Runs the lesson's module. Messages: web/src/protocol.rs; files are read here, in slices.
import init, { Lesson } from '../../overfold-web.js';

let lesson;
let file;
const ready = init().then(() => {
  lesson = new Lesson();
  // What only this worker knows of, for the visit without a network.
  postMessage({ loaded: performance.getEntriesByType('resource').map(({ name }) => name) });
});
const bytes = async (from, to, of = file) => new Uint8Array(await of.slice(from, to).arrayBuffer());

/** What a figure multiplies out, for the engine: the chains by their cores, and the matrix that they are compared with. */
function work(figure) {
  const found = JSON.parse(lesson.work(figure));
  if (found) {
    found.matrix = lesson.matrix();
    found.chains = found.chains.map((dims, k) => ({ dims, cores: lesson.cores(figure, k) }));
  }
  postMessage({ work: found }, found ? [found.matrix.buffer, ...found.chains.map(({ cores }) => cores.buffer)] : []);
}

async function answer(request) {
  if (request.file) {
    const { name, size } = request.file;
    const length = lesson.header_length(await bytes(0, 8, request.file), size);
    const matrix = lesson.open(name, size, await bytes(8, 8 + length, request.file));
    file = request.file;
    return answer({ block: { matrix, corner: [0, 0] } });
  }
  if (request.block) {
    const { matrix, corner: [row, col] } = request.block;
    const [from, to] = lesson.span(matrix, row, col);
    return lesson.show(matrix, row, col, await bytes(from, to));
  }
  return lesson.answer(JSON.stringify(request));
}

onmessage = async ({ data }) => {
  try {
    await ready;
  } catch (error) {
    return postMessage({ failure: String(error.message ?? error) });
  }
  try {
    if (data.work) return work(data.work);
    if (data.multiplied) {
      const { figure, drawing, numbers } = data.multiplied;
      return postMessage({ multiplied: JSON.parse(lesson.multiplied(figure, drawing, numbers)) });
    }
    postMessage(JSON.parse(await answer(data)));
  } catch (error) {
    // A panic inside the module leaves it unusable; anything else is about what was asked.
    const dead = error instanceof WebAssembly.RuntimeError;
    postMessage(dead ? { failure: String(error) } : { refused: String(error.message ?? error) });
  }
};
