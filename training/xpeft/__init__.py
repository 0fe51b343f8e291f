"""xpeft: train profiles as hard masks over a shared adapter pool (X-PEFT, arXiv 2401.16137) and build what the edge serves."""

DEFAULT_PLM = "sentence-transformers/all-MiniLM-L6-v2"
