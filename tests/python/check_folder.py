"""Opens folded folders in Python `transformers` and compares logits with `overfold predict`.

    python tests/python/check_folder.py target/release/overfold RUN/model [RUN/model ...]

Needs `pip install torch transformers`. Prints the largest difference for each folder; exits with 1 above 1e-4.
"""

import json
import subprocess
import sys

import torch
from transformers import AutoTokenizer, BertForSequenceClassification

TEXTS = ["A small model, folded back.", "Naïve café — 東京 don't stop!", "it is not a bad film , just a long one .", "yes"]
PAIRS = ["The model was folded.", "Tokyo is a city.", "The film is bad.", "no"]

command, *folders = sys.argv[1:]
worst = 0.0
for folder in folders:
    model, report = BertForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    difference = 0.0
    for pairs in (None, PAIRS):
        inputs = tokenizer(TEXTS, pairs, padding=True, truncation=True, max_length=128, return_tensors="pt")
        with torch.no_grad():
            logits = model(**inputs).logits
        arguments = [command, "predict", "--model", folder, "--device", "cpu", "--json", *TEXTS]
        for pair in pairs or []:
            arguments += ["--pair", pair]
        lines = [json.loads(line) for line in subprocess.run(arguments, capture_output=True, check=True, text=True).stdout.splitlines()]
        for row, line in zip(logits, lines):
            ours = line["logits"]
            difference = max(difference, max(abs(a - b) for a, b in zip(row.tolist(), ours)))
    print(f"{folder}: {type(model).__name__}, {model.config.id2label}, logits differ by {difference:.1e}")
    worst = max(worst, difference)
sys.exit(worst > 1e-4)
