"""`python -m bench.graphs`: the graphs that the TypeScript half's benches compare the encoder with, written to ../bench/graphs.

Only graphs are kept: their weights are files of the default bundle, which they name.
"""

import tempfile
from pathlib import Path

from xpeft.bundle.external import save_external
from xpeft.bundle.graph import encoder_graph
from xpeft.plm import DEFAULT_PLM, PLM, load_plm

GRAPHS = Path(__file__).parents[2] / "bench" / "graphs"


def write_plain(plm: PLM, folder: Path) -> None:
    """`plain.onnx`: the default bundle's encoder without adapters."""
    with tempfile.TemporaryDirectory() as draft:
        save_external(encoder_graph(plm, None), Path(draft), "plain.onnx", "encoder.weights")
        (folder / "plain.onnx").write_bytes((Path(draft) / "plain.onnx").read_bytes())


if __name__ == "__main__":
    GRAPHS.mkdir(parents=True, exist_ok=True)
    write_plain(load_plm(DEFAULT_PLM), GRAPHS)
