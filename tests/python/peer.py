"""Repeats a finished run of `overfold finetune` in PyTorch, to compare scores with.

    python tests/python/peer.py --opf OPF_TORCH --run RUN [--seed N]

Everything is read from RUN: model, task, flags, which matrices were unfolded after which step, and the learning rate of
each chain's cores. The order of the data, dropout and the fresh head are PyTorch's own, so scores agree within seed noise
only. OPF_TORCH is a file with `load`, `metric` and `MpoLinear` (a correct PyTorch OPF in the symmetric gauge). Prints one
JSON line. Needs `pip install torch transformers scipy scikit-learn`.
"""

import argparse
import importlib.util
import json
import random
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F
from sklearn.metrics import f1_score
from transformers import AutoTokenizer, BertForSequenceClassification

TASKS = {"cola": "CoLA", "mrpc": "MRPC", "rte": "RTE", "stsb": "STS-B", "sst2": "SST-2"}

parser = argparse.ArgumentParser()
parser.add_argument("--opf", required=True)
parser.add_argument("--run", required=True, type=Path)
parser.add_argument("--seed", type=int)
options = parser.parse_args()

report = json.loads((options.run / "run.json").read_text())
config = report["config"]
expected = {"gauge": "symmetric", "schedule": "linear", "accumulate": 1, "weight_decay": 0.0, "shape": [], "split_dev": None}
for key, value in expected.items():
    assert config[key] == value, f"{options.run}: {key} is {config[key]}; this script repeats runs with {value} only"
rounds = {found["step"]: found["chosen"] for found in report["results"]["rounds"]}
# The released optimizer state knows the factors that `--core-lr auto` measured.
chains = json.loads((options.run / "checkpoint/state.json").read_text())["chains"]
seed = config["seed"] if options.seed is None else options.seed
torch.manual_seed(seed), random.seed(seed), numpy.random.seed(seed)

spec = importlib.util.spec_from_file_location("opf", options.opf)
opf = importlib.util.module_from_spec(spec)
spec.loader.exec_module(opf)

task = TASKS[config["task"]]
outputs = 1 if task == "STS-B" else 2
model = BertForSequenceClassification.from_pretrained(config["model"], num_labels=outputs)
torch.nn.init.normal_(model.bert.pooler.dense.weight, std=0.02), torch.nn.init.zeros_(model.bert.pooler.dense.bias)
tokenizer = AutoTokenizer.from_pretrained(config["model"])
train, dev = opf.load(task, "train", config["data"]), opf.load(task, "dev", config["data"])
lengths = [len(tokenizer(row[0], row[1], truncation=True, max_length=config["max_length"]).input_ids) for row in train]
total = report["steps"]
warm = max(1.0, config["warmup"] * total if config["warmup"] < 1 else config["warmup"])
optimizer = torch.optim.AdamW(model.parameters(), lr=config["lr"], weight_decay=0.0)
optimizer.param_groups[0].update(born=0, factor=1.0)
unfolded = []


def unfold(names, step):
    """Puts chains in the place of matrices; the optimizer forgets the matrix and gets the cores, with fresh states."""
    for name in names:
        parent, field = name.removesuffix(".weight").rsplit(".", 1)
        parent = model.get_submodule(parent)
        linear = getattr(parent, field)
        chain = opf.MpoLinear(linear, config["cores"])
        setattr(parent, field, chain)
        unfolded.append(chain)
        dense = optimizer.param_groups[0]
        dense["params"] = [p for p in dense["params"] if p is not linear.weight]
        optimizer.state.pop(linear.weight, None)
        optimizer.add_param_group({"params": list(chain.mpo.parameters()), "born": step, "factor": chains[name]["rate"]})

        def forward(x, chain=chain):
            # The gradient of the contracted matrix is what the global norm is made of.
            chain.dense = chain.mpo.weight()
            if chain.dense.requires_grad:
                chain.dense.retain_grad()
            return F.linear(x, chain.dense, chain.bias)

        chain.forward = forward


def clip():
    gradients = [p.grad for p in optimizer.param_groups[0]["params"]] + [chain.dense.grad for chain in unfolded]
    norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients if g is not None]))
    scale = min(1.0, config["clip"] / norm.item()) if config["clip"] > 0 else 1.0
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                parameter.grad *= scale


def encode(rows):
    pairs = [row[1] for row in rows] if rows[0][1] is not None else None
    texts = [row[0] for row in rows]
    return tokenizer(texts, pairs, padding=True, truncation=True, max_length=config["max_length"], return_tensors="pt")


def shuffled():
    """The order of an epoch; with `--group-by-length` as the Rust program makes it."""
    order, size = list(range(len(train))), config["batch"]
    random.shuffle(order)
    if config["group_by_length"]:
        groups = (order[k : k + 50 * size] for k in range(0, len(order), 50 * size))
        order = [i for group in groups for i in sorted(group, key=lengths.__getitem__)]
        batches = [order[k : k + size] for k in range(0, len(order) - size + 1, size)]
        rest = order[len(batches) * size :]
        random.shuffle(batches)
        order = [i for batch in batches for i in batch] + rest
    return order


def evaluate():
    model.eval()
    order = sorted(range(len(dev)), key=lambda i: len(dev[i][0]))
    found, gold, losses = [], [], 0.0
    with torch.no_grad():
        for k in range(0, len(order), 64):
            rows = [dev[i] for i in order[k : k + 64]]
            logits = model(**encode(rows)).logits
            target = torch.tensor([row[2] for row in rows])
            losses += loss_of(logits, target).item() * len(rows)
            found += (logits[:, 0] if outputs == 1 else logits.argmax(1)).tolist()
            gold += target.tolist()
    model.train()
    scores = {"main": opf.metric(task, found, gold), "loss": losses / len(dev)}
    if task == "MRPC":
        scores["f1"] = f1_score(gold, found)
    return scores


def loss_of(logits, gold):
    return F.mse_loss(logits[:, 0], gold.float()) if outputs == 1 else F.cross_entropy(logits, gold)


model.train()
history, step = [], 0
while step < total:
    order = shuffled()
    for k in range(0, len(order), config["batch"]):
        if step == total:
            break
        unfold(rounds.get(step, []), step)
        rows = [train[i] for i in order[k : k + config["batch"]]]
        loss = loss_of(model(**encode(rows)).logits, torch.tensor([row[2] for row in rows]))
        optimizer.zero_grad()
        loss.backward()
        clip()
        for group in optimizer.param_groups:
            rise, fall = (step - group["born"] + 1) / warm, (total - step) / (total - warm)
            group["lr"] = config["lr"] * group["factor"] * min(1.0, rise, fall)
        optimizer.step()
        step += 1
    history.append(evaluate())
trained = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
print(json.dumps({"run": options.run.name, "task": task, "method": config["method"], "seed": seed, "trained": trained, "history": history}))
