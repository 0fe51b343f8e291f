"""Builds a bundle folder from a PLM. The same inputs give the same bytes."""

from pathlib import Path

import torch

from xpeft.atomic_files import atomic_folder
from xpeft.bundle.external import save_external, save_split, share_external, write_graph
from xpeft.bundle.graph import encoder_graph
from xpeft.bundle.learning_graph import LEARNT_LAYERS, first_learnt, learning_graph, learnt_weights
from xpeft.bundle.manifest import (
    MANIFEST,
    TAIL_VECTOR,
    Manifest,
    ManifestFile,
    ManifestLearning,
    ManifestPLM,
    ManifestSignPool,
    ManifestTail,
    ManifestTrainedPool,
    bundle_id,
    describe_file,
)
from xpeft.bundle.packed import packed_of
from xpeft.bundle.platform_limits import check_files
from xpeft.bundle.tokenizer_rules import check_tokenizer
from xpeft.errors import XpeftError
from xpeft.plm import PLM
from xpeft.pool import PoolShape, default_scale
from xpeft.stored_pool import load_pool

NOTICE = """\
{name}: an encoder bundle of xpeft-edge.

It contains the weights and the tokenizer of {plm}, by that model's
authors, under the licence its model card states: {licence}
(text: https://spdx.org/licenses/). Changed here: the weights are rounded to
int8 but for a few channels, and the graph takes adapters as inputs.
"""


def sign_pool_of(seed: int, shape: PoolShape, scale: float) -> ManifestSignPool:
    """Return the manifest entry of a sign pool with `scale` times the usual scale."""
    return ManifestSignPool(
        seed=seed, size=shape.size, chosen=shape.chosen, scale=scale * default_scale(shape.chosen), firstLayer=shape.first_layer
    )


def tail_of(plm: PLM, bottleneck: int, personal: int) -> tuple[ManifestTail | None, bytes]:
    """Return the tail of a bundle and its file: float32, the weight and bias of the last LayerNorm. None where there is no tail.

    There is one if only the last layer is personal, and the kernel can compute it.
    """
    if personal > 1 or plm.hidden % TAIL_VECTOR or bottleneck % TAIL_VECTOR:
        return None, b""
    norm = plm.layers[-1].norm
    return ManifestTail(epsilon=norm.eps), torch.cat([norm.weight, norm.bias]).detach().numpy().astype("<f4").tobytes()


def build_bundle(
    plm: PLM, out: Path, name: str, *, bottleneck: int, size: int, chosen: int, seed: int = 0, scale: float = 1.0,
    pool_file: Path | None = None, licence: str | None = None, learnt_layers: int = LEARNT_LAYERS,
    personal_layers: int | None = None,
) -> tuple[Manifest, str]:  # fmt: skip
    """Write the bundle into `out`, which it replaces, and return the manifest and the bundle's id.

    pool_file: a trained pool of `python -m xpeft pool`; without one, the pool is a sign pool of `seed` and `scale`.
    learnt_layers: how many of the last layers the learning graph trains, at most the personal ones.
    personal_layers: how many of the last layers have a pool and masks; None for all.
    Raises XpeftError, UnsupportedTokenizer, TooLarge, UnreadableFile or NotWritten. `out` then stays as it is.
    """
    check_tokenizer(plm.tokenizer, len(plm.words))
    licence = licence or plm.licence()
    if licence is None:
        raise XpeftError(f"the model card in {plm.folder} names no licence", "Name the PLM's licence with --licence.")
    if not 1 <= chosen <= size:
        raise XpeftError(f"cannot choose {chosen} of {size} adapters", "Give --chosen between 1 and --pool-size.")
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).exists():
        raise XpeftError(f"{out} holds something that is not a bundle", "Name a new or empty folder with --out.")
    layers = len(plm.layers)
    personal = layers if personal_layers is None else personal_layers
    if not 1 <= personal <= layers:
        raise XpeftError(f"{plm.name} has {layers} layers, not {personal}", f"Give --personal-layers between 1 and {layers}.")
    shape = PoolShape(personal, plm.hidden, bottleneck, size, chosen, layers - personal)
    trained = load_pool(pool_file, shape).pack() if pool_file else b""
    first = first_learnt(layers, min(learnt_layers, personal))
    with atomic_folder(out) as draft:
        encoder = encoder_graph(plm, bottleneck, learnt_from=first)
        learning = learning_graph(plm, bottleneck, encoder, first)
        weights = save_external(encoder, draft, "encoder.onnx", "encoder.weights", learnt_weights(first))
        learnt = share_external(learning, encoder)
        write_graph(learning, draft / "learning.onnx")
        (draft / "tokenizer.json").write_text(plm.tokenizer.to_str(), encoding="utf-8")
        (draft / "NOTICE").write_text(NOTICE.format(name=name, plm=plm.name, licence=licence), encoding="utf-8")
        pools = save_split(trained, draft, "pool")
        tail, norm = tail_of(plm, bottleneck, personal)
        tails = save_split(norm, draft, "tail")
        packed, packed_bytes = packed_of(plm) if tail else (None, b"")
        packs = save_split(packed_bytes, draft, "packed")
        files: list[ManifestFile] = [
            describe_file(draft, "encoder.onnx", "graph"),
            describe_file(draft, "learning.onnx", "learning"),
            *(describe_file(draft, path, "weights") for path in weights),
            *(describe_file(draft, path, "pool") for path in pools),
            *(describe_file(draft, path, "tail") for path in tails),
            *(describe_file(draft, path, "packed") for path in packs),
            describe_file(draft, "tokenizer.json", "tokenizer"),
            describe_file(draft, "NOTICE", "notice"),
        ]
        check_files(files)
        manifest = Manifest(
            # Where nothing has changed since an earlier format, the id stays.
            format="xpeft-bundle/3" if packed else "xpeft-bundle/2" if tail else "xpeft-bundle/1",
            name=name,
            plm=ManifestPLM(name=plm.name, licence=licence, sha256=plm.weights_sha256()),
            layers=layers,
            hidden=plm.hidden,
            bottleneck=bottleneck,
            pool=(
                ManifestTrainedPool(size=size, chosen=chosen, firstLayer=shape.first_layer)
                if pool_file
                else sign_pool_of(seed, shape, scale)
            ),
            pooling=plm.pooling,
            maxTokens=plm.positions.shape[0],
            learning=ManifestLearning(firstLayer=first, weights=learnt),
            tail=tail,
            packed=packed,
            files=files,
        )
        raw = manifest.to_bytes()
        (draft / MANIFEST).write_bytes(raw)
    return manifest, bundle_id(raw)
