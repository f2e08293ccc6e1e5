"""The same fine-tuning in PyTorch, to compare scores with: BertForSequenceClassification with a fresh pooler and head.

    python tests/python/peer.py --opf OPF_TORCH --model MINILM --data GLUE --task CoLA --method dense|mpo --m 5 --layers 3,4,5

OPF_TORCH is a file with `load`, `metric`, `GROUPS` and `MpoLinear` (a correct PyTorch OPF). It has mean pooling; what we
write opens as BertForSequenceClassification, which pools by the first token, so the two cannot be compared directly.
Matrices of whole layers are over-parameterized from the start; prints one JSON line. Needs `pip install torch transformers scipy`.
"""

import argparse
import importlib.util
import json
import random

import numpy
import torch
import torch.nn.functional as F
from transformers import AutoTokenizer, BertForSequenceClassification

parser = argparse.ArgumentParser()
for name in ("opf", "model", "data"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("--task", default="CoLA")
parser.add_argument("--method", default="dense", choices=["dense", "mpo"])
parser.add_argument("--m", type=int, default=5)
parser.add_argument("--layers", default="3,4,5")
parser.add_argument("--lr", type=float, default=3e-5)
parser.add_argument("--epochs", type=float, default=3)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

spec = importlib.util.spec_from_file_location("opf", options.opf)
opf = importlib.util.module_from_spec(spec)
spec.loader.exec_module(opf)
torch.manual_seed(options.seed), random.seed(options.seed), numpy.random.seed(options.seed)

outputs = 1 if options.task == "STS-B" else 2
model = BertForSequenceClassification.from_pretrained(options.model, num_labels=outputs)
torch.nn.init.normal_(model.bert.pooler.dense.weight, std=0.02), torch.nn.init.zeros_(model.bert.pooler.dense.bias)
if options.method == "mpo":
    for layer in options.layers.split(","):
        for group in opf.GROUPS:
            parent, name = f"bert.encoder.layer.{layer}.{group}".rsplit(".", 1)
            parent = model.get_submodule(parent)
            setattr(parent, name, opf.MpoLinear(getattr(parent, name), options.m))
tokenizer = AutoTokenizer.from_pretrained(options.model)
train, dev = opf.load(options.task, "train", options.data), opf.load(options.task, "dev", options.data)
per_epoch = -(-len(train) // options.batch)
total = int(numpy.ceil(per_epoch * options.epochs))
warm = 0.1 * total
optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr, weight_decay=0.0)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: max(0.0, min((s + 1) / warm, (total - s) / (total - warm))))


def encode(rows):
    pairs = [row[1] for row in rows] if rows[0][1] is not None else None
    texts = [row[0] for row in rows]
    return tokenizer(texts, pairs, padding=True, truncation=True, max_length=128, return_tensors="pt")


def evaluate():
    model.eval()
    order = sorted(range(len(dev)), key=lambda i: len(dev[i][0]))
    found, gold = [], []
    with torch.no_grad():
        for k in range(0, len(order), 64):
            rows = [dev[i] for i in order[k : k + 64]]
            logits = model(**encode(rows)).logits
            found += (logits[:, 0] if outputs == 1 else logits.argmax(1)).tolist()
            gold += [row[2] for row in rows]
    model.train()
    scores = {"main": opf.metric(options.task, found, gold)}
    if options.task == "MRPC":
        from sklearn.metrics import f1_score

        scores["f1"] = f1_score(gold, found)
    return scores


model.train()
history, step = [], 0
while step < total:
    order = list(range(len(train)))
    random.shuffle(order)
    for k in range(0, len(order), options.batch):
        if step == total:
            break
        rows = [train[i] for i in order[k : k + options.batch]]
        logits = model(**encode(rows)).logits
        gold = torch.tensor([row[2] for row in rows])
        loss = F.mse_loss(logits[:, 0], gold.float()) if outputs == 1 else F.cross_entropy(logits, gold)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        step += 1
    history.append(evaluate())
best = max(scores["main"] for scores in history)
print(json.dumps({**vars(options), "best": best, "last": history[-1]["main"], "history": history}))
