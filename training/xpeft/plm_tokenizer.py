"""Reads a PLM's tokenizer in the form that training and the edge share."""

import json
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

# The templates that two older post-processors stand for: {0} is the first special token, {1} the separator.
TEMPLATES = {
    "BertProcessing": ("{0} $A {1}", "{0} $A {1} $B:1 {1}:1"),
    # MPNet's. It has no types.
    "RobertaProcessing": ("{0} $A {1}", "{0} $A {1} {1} $B {1}"),
}


def read_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a file, without truncation and padding. Its special tokens are in templates, if its format has some."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    processor = json.loads(tokenizer.to_str())["post_processor"] or {}
    if processor.get("type") in TEMPLATES:
        specials = [processor["cls"], processor["sep"]]
        single, pair = (template.format(*(token for token, _ in specials)) for template in TEMPLATES[processor["type"]])
        tokenizer.post_processor = TemplateProcessing(single=single, pair=pair, special_tokens=[tuple(special) for special in specials])
    return tokenizer
