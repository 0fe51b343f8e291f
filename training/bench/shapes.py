"""Other shapes of the default bundle's graph: the writer's own steps, some of them taken otherwise.

`python -m bench.shapes FOLDER` writes them, and `shapes.json`, which says what each is and, where the data is there, how often it gives
the label that fp32 gives. `npm run bench -- shapes` runs this and times them in the Worker.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import typer
from numpy.typing import NDArray
from onnx import helper

from xpeft.bundle.external import save_external
from xpeft.bundle.graph import CONTRIB, Array, GraphBuilder, encoder_graph
from xpeft.bundle.manifest import Manifest, read_manifest
from xpeft.plm import PLM, load_plm
from xpeft.writing import written_folder

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "bundles" / "minilm-l6-v2"
INDEX = "shapes.json"
TASKS = ("news", "offense")
# What the shapes and their agreement are made from: where one of these files is another, both are made anew.
SOURCES = [
    *(ROOT / "training" / "bench" / file for file in ("shapes.py", "shapes_agreement.py")),
    *(ROOT / "training" / "xpeft" / "bundle" / file for file in ("graph.py", "outliers.py", "calibration.txt")),
    BUNDLE / "manifest.json",
    *(ROOT / "bundles" / "demo" / task / file for task in TASKS for file in ("task.json", "profiles.ndjson")),
]


class Fp32(GraphBuilder):
    """Products in fp32."""

    def product(self, source: str, weight: Array, output: str) -> str:
        """source times a weight [in, out]."""
        return self.op("MatMul", [source, self.constant(f"{output}.weight", weight)], output)

    def linear(self, source: str, weight: Array, bias: Array, output: str) -> str:
        """The product and its bias."""
        return self.op("Add", [self.product(source, weight, f"{output}.product"), self.constant(f"{output}.bias", bias)], output)


class Dequantized(Fp32):
    """Int8 weights, made fp32 at each run by DequantizeLinear."""

    def product(self, source: str, weight: Array, output: str) -> str:
        """A product in fp32 with a weight that is stored in int8, a scale for each column."""
        steps, scale = self.quantize(weight)
        stored = [self.constant(f"{output}.steps", steps), self.constant(f"{output}.scale", scale)]
        return self.op("MatMul", [source, self.op("DequantizeLinear", stored, f"{output}.weight", axis=1)], output)


class Blocks8(Fp32):
    """Int8 weights alone, by MatMulNBits: a scale for each 32 rows of a column, activations in fp32."""

    bits: ClassVar[int] = 8
    block: ClassVar[int] = 32

    def product(self, source: str, weight: Array, output: str) -> str:
        """A product with a weight in blocks of steps; the middle step is 0."""
        rows, columns = weight.shape
        largest = 2 ** (self.bits - 1) - 1
        blocks = weight.T.reshape(columns, rows // self.block, self.block)
        scale = np.maximum(np.abs(blocks).max(axis=2), 1e-12) / np.float32(largest)
        steps = (np.rint(blocks / scale[..., None]) + largest + 1).astype(np.uint8)
        packed = steps if self.bits == 8 else steps[..., 0::2] | (steps[..., 1::2] << 4)
        stored = [self.constant(f"{output}.steps", packed), self.constant(f"{output}.scale", scale.astype(np.float32).ravel())]
        sizes = {"K": rows, "N": columns, "bits": self.bits, "block_size": self.block}
        return self.op("MatMulNBits", [source, *stored], output, CONTRIB, **sizes)


class Blocks4(Blocks8):
    """The same with 4 bits a weight."""

    bits = 4


class PerTensor(GraphBuilder):
    """One scale for a whole weight, not one for each column."""

    def quantize(self, weight: Array) -> tuple[NDArray[np.int8], Array]:
        """Symmetric int8 of a weight [in, out] and its scale, of no dimension."""
        scale = np.asarray(max(np.abs(weight).max(), 1e-12) / 127, dtype=np.float32)
        return np.rint(weight / scale).astype(np.int8), scale


class OutliersBeforeDown(GraphBuilder):
    """Outlier channels before the feed-forward's second product alone."""

    def split_linear(self, source: str, weight: Array, bias: Array, outliers: NDArray[np.int64], output: str) -> str:
        """A linear layer, all in int8 if it is another than `down`."""
        return super().split_linear(source, weight, bias, outliers if output.endswith(".down") else outliers[:0], output)


class ExactGelu(GraphBuilder):
    """GELU by erf, as the PLM has it."""

    def gelu(self, source: str, output: str) -> str:
        """The exact GELU."""
        return self.op("Gelu", [source], output)


class FusedNorm(GraphBuilder):
    """SkipLayerNormalization, one node in place of five."""

    def skip_norm(self, source: str, skip: str, norm: str, output: str, epsilon: float) -> str:
        """LayerNorm(source + skip); the sum itself is `output.sum`."""
        inputs, outputs = [source, skip, f"{norm}.weight", f"{norm}.bias"], [output, "", "", f"{output}.sum"]
        self.nodes.append(helper.make_node("SkipLayerNormalization", inputs, outputs, name=output, domain=CONTRIB, epsilon=epsilon))
        return output


@dataclass(frozen=True)
class Shape:
    """A way to write the graph. `outliers` input channels of most products are in fp32."""

    about: str
    builder: type[GraphBuilder] = GraphBuilder
    outliers: int = GraphBuilder.outliers


SHIPPED = "shipped"
ABOUT_SHIPPED = "the bundle's: int8 by column, 16 outlier channels in fp32"
SHAPES: Mapping[str, Shape] = {
    "fp32": Shape("products in fp32 (MatMul); word embeddings in int8 as in all", Fp32, 0),
    "dequantized": Shape("int8 weights by column, made fp32 at each run (DequantizeLinear, MatMul)", Dequantized, 0),
    "blocks-8": Shape("int8 weights in blocks of 32, activations in fp32 (MatMulNBits)", Blocks8, 0),
    "blocks-4": Shape("int4 weights in blocks of 32, activations in fp32 (MatMulNBits)", Blocks4, 0),
    "exact-gelu": Shape("GELU by erf, not by tanh", ExactGelu),
    "fused-norm": Shape("SkipLayerNormalization, not five nodes", FusedNorm),
    "outliers-8": Shape("8 outlier channels, not 16", outliers=8),
    "outliers-down": Shape("outlier channels before the feed-forward's second product alone", OutliersBeforeDown),
    "outliers-none": Shape("no outlier channels", outliers=0),
    "per-tensor": Shape("int8 with one scale for a weight, not one for each column", PerTensor),
}


@dataclass(frozen=True)
class Written:
    """A shape's files, without their folder, and bytes of its weights."""

    name: str
    about: str
    graph: str
    weights: list[str]
    bytes: int


def shipped(manifest: Manifest) -> Written:
    """The shape that the bundle has; its files stay there."""
    weights = [file for file in manifest.files if file.role == "weights"]
    return Written(SHIPPED, ABOUT_SHIPPED, manifest.file("graph"), [file.path for file in weights], sum(file.bytes for file in weights))


def write_shape(plm: PLM, bottleneck: int, name: str, folder: Path) -> Written:
    """Write the graph of a shape, `NAME.onnx`, and its weights."""
    shape = SHAPES[name]
    graph = f"{name}.onnx"
    model = encoder_graph(plm, bottleneck, shape.builder(outliers=shape.outliers))
    weights = save_external(model, folder, graph, f"{name}.weights")
    return Written(name, shape.about, graph, weights, sum((folder / file).stat().st_size for file in weights))


def source_hashes() -> dict[str, str]:
    """SHA-256 of each of SOURCES, by its path from the project's folder."""
    return {path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in SOURCES}


def agreement(data: Path, graphs: Mapping[str, Path], texts: int) -> dict[str, object]:
    """What `measure_agreement` finds, by task, for the tasks whose data is there."""
    # Takes longer to import than a shape to be written.
    from bench.shapes_agreement import data_file, measure_agreement

    return {task: vars(measure_agreement(task, data, BUNDLE, graphs, texts)) for task in TASKS if data_file(data, task).exists()}


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    folder: Annotated[Path, typer.Argument(help="Folder to write, made anew.")],
    only: Annotated[list[str] | None, typer.Option(help="Shapes to write beside the bundle's own; all if none is named.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of data sets; agreement is measured on those that it has.")] = None,
    texts: Annotated[int, typer.Option(min=1, help="Texts of each task's dev split that agreement is measured on.")] = 800,
) -> None:
    """Write the shapes and what is known of them."""
    if unknown := set(only or []) - set(SHAPES):
        raise typer.BadParameter(f"there is no shape {', '.join(sorted(unknown))}; there are {', '.join(SHAPES)}")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / INDEX).exists():
        raise typer.BadParameter(f"{folder} holds something else; name a new or empty folder")
    manifest, _ = read_manifest(BUNDLE)
    plm = load_plm(manifest.plm.name)
    with written_folder(folder) as draft:
        written = [shipped(manifest), *(write_shape(plm, manifest.bottleneck, name, draft) for name in only or SHAPES)]
        graphs = {shape.name: (BUNDLE if shape.name == SHIPPED else draft) / shape.graph for shape in written}
        index = {
            "sources": source_hashes(),
            "shapes": [vars(shape) for shape in written],
            "agreement": agreement(data, graphs, texts) if data else {},
        }
        (draft / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
