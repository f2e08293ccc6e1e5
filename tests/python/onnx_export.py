"""Exports a fine-tuned folder to ONNX, for tests/browser/latency.mjs: onnx_export.py FOLDER model.onnx"""
import sys

import torch
from transformers import BertForSequenceClassification

model = BertForSequenceClassification.from_pretrained(sys.argv[1], attn_implementation="eager").eval()
tokens = torch.ones(1, 16, dtype=torch.long)
names = ["input_ids", "attention_mask", "token_type_ids"]
torch.onnx.export(
    model, (tokens, tokens, 0 * tokens), sys.argv[2], input_names=names, output_names=["logits"], dynamo=False,
    dynamic_axes={name: {1: "length"} for name in names}, opset_version=17,
)
