"""`python -m bench.graphs` writes the graphs that the TypeScript benches compare the encoder with, to ../bench/graphs.

It writes graphs without weights; their weights are files of the default bundle.
"""

import tempfile
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from xpeft import DEFAULT_PLM
from xpeft.bundle.external import save_external
from xpeft.bundle.graph import IR_VERSION, OPSET, encoder_graph
from xpeft.bundle.learning_graph import learnt_weights
from xpeft.bundle.manifest import read_manifest
from xpeft.plm import PLM, load_plm

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "bundles" / "minilm-l6-v2"
GRAPHS = ROOT / "bench" / "graphs"


def write_plain(plm: PLM, folder: Path) -> None:
    """Write `plain.onnx`, the default bundle's encoder without adapters."""
    manifest, _ = read_manifest(BUNDLE)
    separate = learnt_weights(manifest.learning.firstLayer)
    with tempfile.TemporaryDirectory() as draft:
        save_external(encoder_graph(plm, None), Path(draft), "plain.onnx", "encoder.weights", separate)
        (folder / "plain.onnx").write_bytes((Path(draft) / "plain.onnx").read_bytes())


def write_empty(folder: Path) -> None:
    """Write `empty.onnx`, which returns its input. Opening it shows the cost of ONNX Runtime alone."""
    one = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("given", "same")]
    graph = helper.make_graph([helper.make_node("Identity", ["given"], ["same"])], "empty", one[:1], one[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION), folder / "empty.onnx")


if __name__ == "__main__":
    GRAPHS.mkdir(parents=True, exist_ok=True)
    write_plain(load_plm(DEFAULT_PLM), GRAPHS)
    write_empty(GRAPHS)
