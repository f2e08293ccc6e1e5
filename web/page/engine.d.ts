/** The engine for pages: a model folded by Overfold, in a worker, on WebGPU or on the CPU. */

export type Device = 'gpu' | 'cpu';

export interface Progress {
  phase: 'download' | 'compile' | 'open' | 'test' | 'time' | 'evaluate';
  /** Bytes while downloading, texts while evaluating; both 0 where nobody knows how long it takes. */
  loaded: number;
  total: number;
}

export interface LoadOptions {
  /** `auto`, the default: the faster device that computes rightly. `gpu` also takes a GPU that is computed by the CPU. */
  device?: 'auto' | Device;
  onProgress?: (progress: Progress) => void;
  /** The engine had to start again, as `info.failures` tells. What was asked meanwhile is answered all the same. */
  onChange?: (info: Info) => void;
  /** Cancels; files that have arrived are kept. */
  signal?: AbortSignal;
  /** Milliseconds without a byte after which a download counts as stalled; 20,000. After twice as long in silence the worker counts as dead. */
  patience?: number;
}

export type Kind = 'folded' | 'plain' | 'before' | 'given';

/** What a device needs for one sentence, or why it cannot be used. */
export type Measured =
  | { ms: number; n: number; /** Largest difference from the stored logits; null if none are stored. */ error: number | null }
  | { failed: string };

export interface Info {
  manifest: {
    version: number; name: string; license: string; task: string; labels: string[]; max_length: number;
    made: { overfold: string; flags?: unknown };
  };
  models: {
    kind: Kind; parameters: number; bytes: number;
    trained?: number; scores?: Record<string, number>; examples?: number;
  }[];
  device: Device;
  why: string;
  devices: { cpu: Measured; gpu?: Measured };
  /** Whether the CPU multiplies and adds in one instruction: relaxed SIMD. */
  fused: boolean;
  /** What the browser tells of its GPU; empty if there is none. */
  gpu: { name?: string; backend?: string; software?: boolean; features?: string[]; limits?: Record<string, number> };
  bytes: { total: number; cached: number };
  evaluation: { dataset: string; texts: number } | null;
  /** What did not go as wished and was got over. */
  notes: string[];
  /** Why the engine had to start again. */
  failures: string[];
  agent: string;
  /** Addresses that the worker has loaded, for whoever wants to keep them. */
  resources: string[];
}

export interface Answer {
  text: string;
  /** Tokens that the models see, as the vocabulary spells them. */
  pieces: string[];
  /** How many tokens were cut off, and the first of them. */
  cut: number;
  cut_pieces: string[];
  /** One for each model of the export, in its order. */
  models: { kind: Kind; logits: number[]; probabilities: number[] }[];
  /** Milliseconds for the first model: median of `n` runs. */
  ms: number;
  n: number;
}

export interface Score {
  kind: Kind;
  right: number;
  n: number;
  /** 95 % interval of the accuracy (Wilson). */
  interval: [number, number];
}

export interface Folded {
  /** Number of matrices, numbers in them and in their chains, and the chains' widest bond before it was cut. */
  matrices: number;
  of: number;
  parameters: number;
  widest: number;
  /** What the bonds were cut to. */
  bond: number | null;
  /** Relative error of all matrices together (Frobenius). */
  error: number;
  /** Largest difference of a logit from the model's own, on `compared` texts. */
  difference: number;
  compared: number;
  /** Largest difference of a logit between the folded model and the one whose chains are contracted, in f32, at every run. */
  apart: number;
  /** Milliseconds for a sentence with the folded matrices, and with the contraction of all chains before it: medians of `n` runs. */
  latency: { folded: { ms: number; n: number }; chain: { ms: number; n: number } };
  right: number;
  n: number;
  interval: [number, number];
}

/** A matrix as a chain of cores. */
export interface Chain {
  rows: number;
  cols: number;
  /** (d_{k−1}, i_k, j_k, d_k) of every core. */
  dims: [number, number, number, number][];
  /** The cores, each row-major, one after the other. */
  cores: Float32Array;
}

export interface Contracted {
  device: Device;
  /** The matrix, row-major, by products and sums in f32. */
  product: Float32Array;
  /** The matrix that was given, less the product. */
  residual: Float32Array;
}

export interface Engine {
  info(): Info;
  classify(text: string): Promise<Answer>;
  evaluate(options?: { onProgress?: (progress: Progress) => void; signal?: AbortSignal }): Promise<Score[]>;
  /** Unfolds the first model's matrices, cuts every bond to at most `bond` (null: none), folds them, and tries that model. */
  fold(bond: number | null, options?: { onProgress?: (progress: Progress) => void; signal?: AbortSignal }): Promise<Folded>;
  /** Multiplies a chain out on the device, and takes the product from a matrix of the same size. */
  contract(chain: Chain, matrix: Float32Array): Promise<Contracted>;
  /** Frees the worker and the device. */
  dispose(): void;
}

/** `kind` is one of 'cancelled', 'missing', 'network', 'stalled', 'damaged', 'manifest', 'engine'. */
export class Fault extends Error {
  kind: string;
}

/** Loads an export of `overfold export-web`; throws a {@link Fault}. */
export function load(manifestUrl: string | URL, options?: LoadOptions): Promise<Engine>;

/** Bytes that the browser keeps for engines of this origin; null where it keeps nothing. */
export function keptBytes(): Promise<number | null>;

/** Deletes them. */
export function forget(): Promise<void>;
