//! The part of rayon's interface that the kernels use, for builds without threads.

use std::slice::{Chunks, ChunksMut};

pub(super) trait ParallelSlice<T> {
    fn par_chunks(&self, size: usize) -> Chunks<'_, T>;
}

pub(super) trait ParallelSliceMut<T> {
    fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T>;
}

impl<T> ParallelSlice<T> for [T] {
    fn par_chunks(&self, size: usize) -> Chunks<'_, T> {
        self.chunks(size)
    }
}

impl<T> ParallelSliceMut<T> for [T] {
    fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T> {
        self.chunks_mut(size)
    }
}
