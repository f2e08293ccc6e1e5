// y = x·Wᵀ + b. An invocation computes eight rows of four columns, which lie a workgroup's width apart, so that neighbours
// write to neighbouring places. Rows of x are the same for all invocations of a workgroup. Nothing goes through workgroup
// memory: its barriers cost more than they save for as few rows as a sentence has.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
/// Rows, input and output: low words of 64-bit numbers.
@group(0) @binding(4) var<storage, read> dims: array<vec2u, 3>;

const width = 32u;

fn put(row: u32, column: u32, sums: vec4f) {
    if row >= dims[0].x { return; }
    let output = dims[2].x;
    for (var k = 0u; k < 4u; k++) {
        let place = column + k * width;
        if place < output { y[row * output + place] = sums[k] + bias[place]; }
    }
}

@compute @workgroup_size(width)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_id) lane: vec3u) {
    let rows = dims[0].x;
    let input = dims[1].x / 4u;
    let column = tile.x * width * 4u + lane.x;
    let row = tile.y * 8u;
    // At the edges the last row is read more than once.
    let w = min(column + vec4u(0u, width, 2u * width, 3u * width), vec4u(dims[2].x - 1u)) * input;
    let near = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(rows - 1u)) * input;
    let far = min(row + vec4u(4u, 5u, 6u, 7u), vec4u(rows - 1u)) * input;
    var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
    var s4 = vec4f(); var s5 = vec4f(); var s6 = vec4f(); var s7 = vec4f();
    for (var k = 0u; k < input; k++) {
        let columns = mat4x4f(weight[w.x + k], weight[w.y + k], weight[w.z + k], weight[w.w + k]);
        s0 += x[near.x + k] * columns;
        s1 += x[near.y + k] * columns;
        s2 += x[near.z + k] * columns;
        s3 += x[near.w + k] * columns;
        s4 += x[far.x + k] * columns;
        s5 += x[far.y + k] * columns;
        s6 += x[far.z + k] * columns;
        s7 += x[far.w + k] * columns;
    }
    put(row, column, s0);
    put(row + 1u, column, s1);
    put(row + 2u, column, s2);
    put(row + 3u, column, s3);
    put(row + 4u, column, s4);
    put(row + 5u, column, s5);
    put(row + 6u, column, s6);
    put(row + 7u, column, s7);
}
