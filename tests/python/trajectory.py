"""Trains the same model by the same steps here and in PyTorch, plainly and over-parameterized, and compares every loss.

    python tests/python/trajectory.py target/release/overfold MODEL --opf OPF_TORCH

One batch, no dropout and the same fresh head leave nothing to chance: what differs is rounding. OPF_TORCH is a file with
`MpoLinear` (a correct PyTorch OPF). Prints losses and gradient norms side by side; exits with 1 if a loss differs by more
than 0.1 % before step 20, after which rounding has had time to grow. Needs `pip install torch transformers`.
"""

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import AutoTokenizer, BertForSequenceClassification

STEPS, RATE, CORES, WARM = 40, 1e-4, 5, 4
WORDS = ["a man", "two dogs", "the old house", "a red car", "my friend", "the film"]
DEEDS = ["runs in the park", "is very good", "was sold last year", "makes no sense"]
TEXTS = [(f"{a} {b}", f"{c} {b}") for b in DEEDS for a, c in zip(WORDS, WORDS[1:] + WORDS[:1])]

parser = argparse.ArgumentParser()
parser.add_argument("command")
parser.add_argument("model", type=Path)
parser.add_argument("--opf", required=True)
options = parser.parse_args()
spec = importlib.util.spec_from_file_location("opf", options.opf)
opf = importlib.util.module_from_spec(spec)
spec.loader.exec_module(opf)
folder = Path(tempfile.mkdtemp())
model = shutil.copytree(options.model, folder / "model")
config = json.loads((model / "config.json").read_text())
config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
(model / "config.json").write_text(json.dumps(config))
rows = [{"a": a, "b": b, "score": float(k % 6)} for k, (a, b) in enumerate(TEXTS)]
(folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def finetune(name, *flags):
    data = str(folder / "data.jsonl")
    arguments = [options.command, "finetune", "--model", str(model), "--train", data, "--dev", data, "--regression"]
    arguments += ["--text", "a", "--pair", "b", "--label", "score", "--batch", str(len(rows)), "--device", "cpu", "--pooler", "fresh"]
    arguments += ["--warmup", str(WARM), "--log-every", "1", "--out", str(folder / name), *flags]
    subprocess.run(arguments, check=True, capture_output=True)
    entries = map(json.loads, (folder / name / "log.jsonl").read_text().splitlines())
    return [entry for entry in entries if entry["event"] == "step"]


def clip(model, chains):
    """By the global norm of the dense gradients, which for chains are those of the contracted matrices."""
    cores = {p for chain in chains for p in chain.mpo.parameters()}
    gradients = [p.grad for p in model.parameters() if p not in cores] + [chain.dense.grad for chain in chains]
    norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients])).item()
    for parameter in model.parameters():
        parameter.grad *= min(1.0, 1.0 / norm)
    return norm


def unfold(model):
    chains = []
    for layer in range(config["num_hidden_layers"]):
        for group in opf.GROUPS:
            parent, field = f"bert.encoder.layer.{layer}.{group}".rsplit(".", 1)
            parent = model.get_submodule(parent)
            chain = opf.MpoLinear(getattr(parent, field), CORES)

            def forward(x, chain=chain):
                chain.dense = chain.mpo.weight()
                chain.dense.retain_grad()
                return F.linear(x, chain.dense, chain.bias)

            chain.forward = forward
            setattr(parent, field, chain)
            chains.append(chain)
    return chains


# The head that every run with this seed starts from.
finetune("start", "--method", "plain", "--steps", "1", "--lr", "1e-30")
worst = 0.0
every = ["--method", "static", "--importance", "fisher", "--top", str(config["num_hidden_layers"]), "--cores", str(CORES)]
for name, flags in [("plain", ["--method", "plain"]), ("opf", [*every, "--core-lr", "1"])]:
    ours = finetune(name, "--steps", str(STEPS), "--lr", str(RATE), *flags)
    peer = BertForSequenceClassification.from_pretrained(folder / "start/model").train()
    tokenizer = AutoTokenizer.from_pretrained(folder / "start/model")
    inputs = tokenizer(*map(list, zip(*TEXTS)), padding=True, return_tensors="pt")
    gold = torch.tensor([row["score"] for row in rows])
    chains = unfold(peer) if name == "opf" else []
    optimizer = torch.optim.AdamW(peer.parameters(), weight_decay=0.0)
    for step, entry in enumerate(ours):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM, (STEPS - step) / (STEPS - WARM))
        loss = F.mse_loss(peer(**inputs).logits[:, 0], gold)
        optimizer.zero_grad()
        loss.backward()
        norm = clip(peer, chains)
        optimizer.step()
        difference = abs(loss.item() / entry["loss"] - 1)
        if step < 20:
            worst = max(worst, difference)
        if step % 5 == 0:
            print(f"{name} step {step:2}: loss {loss.item():.5f} {entry['loss']:.5f}  norm {norm:.4f} {entry['gradient_norm']:.4f}")
shutil.rmtree(folder)
print(f"largest relative difference of a loss before step 20: {worst:.1e}")
sys.exit(worst > 1e-3)
