"""PyTorch's side of `step.rs`: prints the median seconds of a step and the peak memory in bytes.

    python step.py CONFIG_JSON BATCH TOKENS STEPS WARM_UP
"""

import json
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from transformers import BertConfig, BertForSequenceClassification

config, (batch, tokens, steps, warm_up) = json.loads(sys.argv[1]), map(int, sys.argv[2:])
model = BertForSequenceClassification(BertConfig(**config, num_labels=2)).train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01)
seconds = []
for step in range(steps):
    ids = torch.tensor([1000 + (i * 7919 + step * 104729) % 29000 for i in range(batch * tokens)]).view(batch, tokens)
    start = time.perf_counter()
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    loss = F.cross_entropy(logits, torch.arange(batch) % 2)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    seconds.append(time.perf_counter() - start)
print(statistics.median(seconds[warm_up:]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
