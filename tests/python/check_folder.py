"""Opens folders in Python `transformers` and compares what they compute with `overfold predict`.

    python tests/python/check_folder.py target/release/overfold FOLDER [FOLDER ...]

FOLDER: `model` of a fine-tuning run (logits are compared) or of a pre-training run (the most probable words for a mask).
Needs `pip install torch transformers`. Prints the largest difference for each folder; exits with 1 above 1e-4.
"""

import json
import subprocess
import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification

TEXTS = ["A small model, folded back.", "Naïve café — 東京 don't stop!", "it is not a bad film , just a long one .", "yes"]
PAIRS = ["The model was folded.", "Tokyo is a city.", "The film is bad.", "no"]
MASKED = ["the capital of france is [MASK] .", "she opened the [MASK] and [MASK] out ."]

command, *folders = sys.argv[1:]


def predict(folder, *arguments):
    arguments = [command, "predict", "--model", folder, "--device", "cpu", "--json", *arguments]
    output = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def opened(kind, folder):
    model, report = kind.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    return model.eval()


def classifier(model, tokenizer, folder):
    """Largest difference of a logit, single texts and pairs."""
    difference = 0.0
    for pairs in (None, PAIRS):
        inputs = tokenizer(TEXTS, pairs, padding=True, truncation=True, max_length=128, return_tensors="pt")
        with torch.no_grad():
            logits = model(**inputs).logits
        for row, line in zip(logits, predict(folder, *TEXTS, *(f"--pair={pair}" for pair in pairs or []))):
            difference = max(difference, max(abs(a - b) for a, b in zip(row.tolist(), line["logits"])))
    return difference


def masked(model, tokenizer, folder):
    """Largest difference of the probability of a word that `--fill-mask` shows."""
    difference = 0.0
    for text, line in zip(MASKED, predict(folder, "--fill-mask", *MASKED)):
        inputs = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            logits = model(**inputs)["prediction_logits" if isinstance(model, BertForPreTraining) else "logits"]
        probabilities = logits[inputs.input_ids == tokenizer.mask_token_id].softmax(-1)
        for row, words in zip(probabilities, line["masks"], strict=True):
            best = row.topk(len(words))
            assert tokenizer.convert_ids_to_tokens(best.indices.tolist()) == [word for word, _ in words], words
            difference = max(difference, max(abs(a - b) for a, (_, b) in zip(best.values.tolist(), words)))
    return difference


worst = 0.0
for folder in folders:
    architecture = json.loads((Path(folder) / "config.json").read_text())["architectures"][0]
    kinds = {kind.__name__: kind for kind in (BertForMaskedLM, BertForPreTraining, BertForSequenceClassification)}
    kind = kinds[architecture]
    check = classifier if kind is BertForSequenceClassification else masked
    found = check(opened(kind, folder), AutoTokenizer.from_pretrained(folder), folder)
    print(f"{folder}: {architecture}, differs by {found:.1e}")
    worst = max(worst, found)
sys.exit(worst > 1e-4)
