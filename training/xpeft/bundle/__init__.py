"""Building the bundle: the int8 encoder, its tokenizer and the manifest that the edge loads (docs/formats.md, "Bundle")."""
