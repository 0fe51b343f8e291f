"""Tokens of the Python tokenizer: reads {"text", "textPair"?, "maxTokens"} a line, answers [ids, typeIds] a line."""

import json
import sys

from tokenizers import Tokenizer


def well_formed(text: str) -> str:
    """A lone surrogate has no UTF-8; it becomes U+FFFD here as it does in JavaScript's toWellFormed."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_padding()
for line in sys.stdin:
    request = json.loads(line)
    texts = [well_formed(request[field]) for field in ("text", "textPair") if field in request]
    tokenizer.enable_truncation(request["maxTokens"], strategy="longest_first")
    encoding = tokenizer.encode(*texts)
    print(json.dumps([encoding.ids, encoding.type_ids]))
