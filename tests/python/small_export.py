"""Writes the export with which the browser tests run: tests/python/small_export.py FOLDER

Three random BERT models of 2 layers x 16, with logits by PyTorch and `transformers`: a reference that shares no code with
the engine. The format is that of shared/src/manifest.rs. Needs torch, transformers, tokenizers and safetensors.
"""

import hashlib
import json
import sys
from itertools import product
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import BertWordPieceTokenizer
from tokenizers.processors import BertProcessing
from transformers import BertConfig, BertForSequenceClassification

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
LENGTH = 32  # tokens
SELF_TEST = 32  # texts with logits

good = ["wonderful", "moving", "clever", "honest"]
bad = ["dull", "clumsy", "hollow", "tiresome"]
things = ["film", "story", "script", "song", "ending"]
texts = [(f"A {word} {thing}.", label) for label, words in [(0, bad), (1, good)] for word, thing in product(words, things)]
texts = texts[::2] + texts[1::2]
# What a visitor may type: long, empty, accents, another script, characters that no vocabulary has.
texts[1:1] = [("the " * 60 + "end", 0), ("", 0), ("Café crème, 漢字!", 1), ("\U0001f600 \u0007 un-be-liev-ably good", 1)]

tokenizer = BertWordPieceTokenizer(lowercase=True)
tokenizer.train_from_iterator([text for text, _ in texts], vocab_size=300, min_frequency=1, show_progress=False)
ends = [(token, tokenizer.token_to_id(token)) for token in ("[SEP]", "[CLS]")]
tokenizer.post_processor = BertProcessing(*ends)
tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
tokenizer.enable_truncation(LENGTH)

config = BertConfig(
    vocab_size=tokenizer.get_vocab_size(), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
    max_position_embeddings=LENGTH, initializer_range=0.4, num_labels=2, id2label={0: "negative", 1: "positive"},
    label2id={"negative": 0, "positive": 1},
)  # fmt: skip
config.save_pretrained(folder)

models, logits = [], []
for seed, kind in enumerate(["folded", "plain", "before"]):
    torch.manual_seed(seed)
    model = BertForSequenceClassification(config).eval()
    state = {name: tensor.half() for name, tensor in model.state_dict().items()}
    # One model in two files, as a large one would be.
    names = sorted(state)
    parts = [names[:9], names[9:]] if kind == "plain" else [names]
    files = []
    for k, part in enumerate(parts):
        files.append(f"{kind}-{k}.safetensors")
        save_file({name: state[name].contiguous() for name in part}, folder / files[-1], metadata={"format": "pt"})
    # The reference has the rounded weights too, read back from the files.
    rounded = {name: t.float() for file in files for name, t in load_file(folder / file).items()}
    model.load_state_dict(rounded)
    rows = []
    for text, _ in texts[:SELF_TEST]:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            rows.append(model(input_ids=torch.tensor([ids])).logits[0].tolist())
    logits.append(rows)
    models.append({"kind": kind, "weights": files, "parameters": sum(t.numel() for t in rounded.values())})

evaluation = {"dataset": "40 sentences from a template, and odd ones", "texts": texts, "logits": logits}
(folder / "evaluation.json").write_text(json.dumps(evaluation, ensure_ascii=False))
files = {}
for path in sorted(folder.iterdir()):
    if path.name != "manifest.json":
        path.chmod(0o644)
        data = path.read_bytes()
        files[path.name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
manifest = {
    "version": 1, "name": "Random models for the tests", "license": "MIT OR Apache-2.0", "task": "",
    "labels": ["negative", "positive"], "max_length": LENGTH, "made": {"overfold": "0.1.0"}, "models": models, "files": files,
}  # fmt: skip
(folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
