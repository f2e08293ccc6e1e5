//! Seconds to unfold the 36 matrices of a 6-layer MiniLM (24 of 384×384, 6 of 1536×384, 6 of 384×1536) at order 11.
//!
//! `OVERFOLD_PYTHON=python cargo bench --workspace --bench unfold`. Beside it, if that Python has numpy,
//! `numpy.linalg.svd(x, full_matrices=False)` in f64 on the same sizes: 24 matrices of 576×256 and 12 of 1152×512, which
//! is what these shapes leave to decompose.

use std::process::Command;
use std::time::Instant;

use overfold::mpo::{Gauge, Job, MpoError, Shape, decompose, decompose_all};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const ORDER: usize = 11;
const REPEATS: usize = 5;

/// A standard normal value, by Box and Muller.
fn normal(rng: &mut StdRng) -> f64 {
    let (radius, angle): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random_range(0.0..1.0));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

fn best(mut run: impl FnMut() -> Result<(), MpoError>) -> Result<f64, MpoError> {
    let mut best = f64::INFINITY;
    for _ in 0..REPEATS {
        let start = Instant::now();
        run()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Seconds of the same decompositions in numpy.
fn numpy() -> Option<f64> {
    const SCRIPT: &str = "
import numpy, time
generator = numpy.random.default_rng(0)
matrices = [generator.normal(size=size) for count, size in ((24, (576, 256)), (12, (1152, 512))) for _ in range(count)]
def run():
    start = time.perf_counter()
    for x in matrices: numpy.linalg.svd(x, full_matrices=False)
    return time.perf_counter() - start
print(min(run() for _ in range(5)))";
    let output = Command::new(std::env::var_os("OVERFOLD_PYTHON")?).args(["-c", SCRIPT]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn main() -> Result<(), MpoError> {
    let mut rng = StdRng::seed_from_u64(0);
    let mut matrices = Vec::new();
    for (count, rows, cols) in [(24, 384, 384), (6, 1536, 384), (6, 384, 1536)] {
        for _ in 0..count {
            let w: Vec<f64> = (0..rows * cols).map(|_| 0.04 * normal(&mut rng)).collect();
            matrices.push((w, rows, cols, Shape::paper(rows, cols, ORDER)?));
        }
    }
    let gauge = Gauge::Symmetric;
    let jobs: Vec<Job<'_>> =
        matrices.iter().map(|(w, rows, cols, shape)| Job { w, rows: *rows, cols: *cols, shape, gauge }).collect();

    let all = best(|| decompose_all(&jobs).into_iter().try_for_each(|mpo| mpo.map(drop)))?;
    let each = best(|| jobs.iter().try_for_each(|j| decompose(j.w, j.rows, j.cols, j.shape, j.gauge).map(drop)))?;
    let chains = decompose_all(&jobs).into_iter().collect::<Result<Vec<_>, _>>()?;
    let fold = best(|| {
        chains.iter().for_each(|mpo| drop(std::hint::black_box(mpo.contract())));
        Ok(())
    })?;
    let flops: u64 = chains.iter().map(|mpo| mpo.contraction_cost().flops).sum();
    println!("unfold {} matrices, order {ORDER}, best of {REPEATS}", jobs.len());
    println!("  together (decompose_all)   {all:.3} s");
    println!("  one after the other        {each:.3} s");
    if let Some(numpy) = numpy() {
        println!("  numpy.linalg.svd           {numpy:.3} s: {:.2} of numpy's time", all / numpy);
    }
    println!("fold                         {fold:.3} s, {:.1} GFLOP/s", flops as f64 / fold / 1e9);
    Ok(())
}
