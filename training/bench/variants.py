"""Variants of the default bundle's graph: the bundle's own writer with a step or two changed.

`python -m bench.variants FOLDER` writes them and `variants.json`, which describes each. With data it also says how often each gives fp32's
label. `npm run bench -- variants` runs this and times them in the Worker.
"""

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench.variants_builders import Blocks4, Blocks8, Dequantized, ExactGelu, Fp32, FusedNorm, OutliersBeforeDown, PerTensor
from xpeft.atomic_files import atomic_folder
from xpeft.bundle.external import save_external
from xpeft.bundle.graph import GraphBuilder, encoder_graph
from xpeft.bundle.manifest import Manifest, read_manifest
from xpeft.plm import PLM, load_plm

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "bundles" / "minilm-l6-v2"
INDEX = "variants.json"
OWN = ("bench", "xpeft")
TASKS = ("news", "offense")
# Sources of the variants and their agreement, beside the code. If one changes, both are written again.
SOURCES = [
    ROOT / "training" / "xpeft" / "bundle" / "calibration.txt",
    BUNDLE / "manifest.json",
    *(ROOT / "bundles" / "demo" / task / file for task in TASKS for file in ("task.json", "profiles.ndjson")),
]


@dataclass(frozen=True)
class Variant:
    """A way to write the graph. `outliers` input channels of most products are in fp32."""

    about: str
    builder: type[GraphBuilder] = GraphBuilder
    outliers: int = GraphBuilder.outliers


SHIPPED = "shipped"
ABOUT_SHIPPED = "the bundle's: int8 by column, 16 outlier channels in fp32"
VARIANTS: Mapping[str, Variant] = {
    "fp32": Variant("products in fp32 (MatMul); word embeddings in int8 as in all", Fp32, 0),
    "dequantized": Variant("int8 weights by column, made fp32 at each run (DequantizeLinear, MatMul)", Dequantized, 0),
    "blocks-8": Variant("int8 weights in blocks of 32, activations in fp32 (MatMulNBits)", Blocks8, 0),
    "blocks-4": Variant("int4 weights in blocks of 32, activations in fp32 (MatMulNBits)", Blocks4, 0),
    "exact-gelu": Variant("GELU by erf, not by tanh", ExactGelu),
    "fused-norm": Variant("SkipLayerNormalization, not five nodes", FusedNorm),
    "outliers-8": Variant("8 outlier channels, not 16", outliers=8),
    "outliers-down": Variant("outlier channels before the feed-forward's second product alone", OutliersBeforeDown),
    "outliers-none": Variant("no outlier channels", outliers=0),
    "per-tensor": Variant("int8 with one scale for a weight, not one for each column", PerTensor),
}


@dataclass(frozen=True)
class Written:
    """A variant's file names, without their folder, and the bytes of its weights."""

    name: str
    about: str
    graph: str
    weights: list[str]
    bytes: int


def shipped(manifest: Manifest) -> Written:
    """Return the bundle's own graph; its files stay in the bundle."""
    weights = [file for file in manifest.files if file.role == "weights"]
    return Written(SHIPPED, ABOUT_SHIPPED, manifest.file("graph"), [file.path for file in weights], sum(file.bytes for file in weights))


def write_variant(plm: PLM, bottleneck: int, name: str, folder: Path) -> Written:
    """Write the graph of a variant, `NAME.onnx`, and its weights."""
    variant = VARIANTS[name]
    graph = f"{name}.onnx"
    model = encoder_graph(plm, bottleneck, variant.builder(outliers=variant.outliers))
    weights = save_external(model, folder, graph, f"{name}.weights")
    return Written(name, variant.about, graph, weights, sum((folder / file).stat().st_size for file in weights))


def own_modules(*files: Path) -> set[Path]:
    """Return these files and those of this project's modules that they import, directly or not."""
    found: set[Path] = set()
    left = set(files)
    while left:
        file = left.pop()
        found.add(file)
        # Modules are parsed, not imported: importing takes longer than writing a variant.
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        names = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and node.level == 0]
        modules = {(ROOT / "training" / name.replace(".", "/")).with_suffix(".py") for name in names if name.split(".")[0] in OWN}
        left |= {module for module in modules if module.is_file()} - found
    return found


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def source_hashes() -> dict[str, str]:
    """Return the SHA-256 of each of SOURCES and of the code, by its path from the project's folder."""
    here = Path(__file__)
    code = own_modules(here, here.with_name("variants_agreement.py"))
    return {path.relative_to(ROOT).as_posix(): sha256(path) for path in [*sorted(code), *SOURCES]}


def agreement(data: Path, graphs: Mapping[str, Path], texts: int) -> dict[str, object]:
    """Return what `measure_agreement` finds and the SHA-256 of the data, by task, for the tasks whose data is there."""
    # Importing this takes longer than writing a variant.
    from bench.variants_agreement import data_file, measure_agreement

    there = {task: data_file(data, task) for task in TASKS if data_file(data, task).exists()}
    return {task: {**vars(measure_agreement(task, data, BUNDLE, graphs, texts)), "data": sha256(file)} for task, file in there.items()}


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    folder: Annotated[Path, typer.Argument(help="Folder to write, made anew.")],
    only: Annotated[list[str] | None, typer.Option(help="Variants to write beside the bundle's own; all by default.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of data sets; agreement is measured on those that it has.")] = None,
    texts: Annotated[int, typer.Option(min=1, help="Texts of each task's dev split that agreement is measured on.")] = 800,
) -> None:
    """Write the variants and their agreement with fp32."""
    if unknown := set(only or []) - set(VARIANTS):
        raise typer.BadParameter(f"there is no variant {', '.join(sorted(unknown))}; there are {', '.join(VARIANTS)}")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / INDEX).exists():
        raise typer.BadParameter(f"{folder} holds something else; name a new or empty folder")
    manifest, _ = read_manifest(BUNDLE)
    plm = load_plm(manifest.plm.name)
    with atomic_folder(folder) as draft:
        written = [shipped(manifest), *(write_variant(plm, manifest.bottleneck, name, draft) for name in only or VARIANTS)]
        graphs = {variant.name: (BUNDLE if variant.name == SHIPPED else draft) / variant.graph for variant in written}
        index = {
            "sources": source_hashes(),
            "only": sorted(set(only or [])),
            "texts": texts,
            "variants": [vars(variant) for variant in written],
            "agreement": agreement(data, graphs, texts) if data else {},
        }
        (draft / INDEX).write_text(json.dumps(index, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
