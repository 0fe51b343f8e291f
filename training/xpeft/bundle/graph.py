"""Builds the encoder as an ONNX graph: int8 weights, merged adapters as inputs, one text per run (docs/formats.md, "Encoder").

It is written node by node, not exported. So ONNX Runtime's WebAssembly build has a fast kernel for every operator, every build gives the
same bytes, and other graphs can share the weights by name.
"""

from dataclasses import dataclass, field

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from xpeft.bundle.outliers import OUTLIERS, outlier_channels
from xpeft.encoder import ADAPTER_NORM_EPS
from xpeft.families import Layer
from xpeft.plm import PLM
from xpeft.pooling import Pooling

Array = NDArray[np.float32]

OPSET = 21
IR_VERSION = 10
CONTRIB = "com.microsoft"


def weight_of(linear: nn.Linear) -> tuple[Array, Array]:
    """Return weight [in, out] and bias [out] of a linear layer."""
    return linear.weight.detach().numpy().T.copy(), linear.bias.detach().numpy()


def quantize_columns(weight: Array) -> tuple[NDArray[np.int8], Array]:
    """Return a weight [in, out] in symmetric int8, and the scale of each column, [out]."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / np.float32(127)
    return np.clip(np.rint(weight / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


@dataclass
class GraphBuilder:
    """Collects nodes and weights. Each method adds a step and returns the name of its output.

    outliers: input channels of most products that stay in fp32.
    """

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)
    outliers: int = OUTLIERS

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Add a weight."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: object) -> str:
        """Add a node with one output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def quantize(self, weight: Array) -> tuple[NDArray[np.int8], Array]:
        """Return a weight [in, out] in symmetric int8, and the scale of each column."""
        return quantize_columns(weight)

    def linear(self, source: str, weight: Array, bias: Array, output: str) -> str:
        """Add an int8 product. Activations are quantized over the whole tensor at run time, weights by column."""
        quantized, scale = self.quantize(weight)
        inputs = [
            source,
            self.constant(f"{output}.weight", quantized),
            self.constant(f"{output}.scale", scale),
            "",  # no zero points: the weights are symmetric
            self.constant(f"{output}.bias", bias),
        ]
        return self.op("DynamicQuantizeMatMul", inputs, output, CONTRIB)

    def split_linear(self, source: str, weight: Array, bias: Array, outliers: NDArray[np.int64], output: str) -> str:
        """Add a linear layer that multiplies outlier input channels in fp32 and the others in int8."""
        if len(outliers) == 0:
            return self.linear(source, weight, bias, output)
        regular = np.ones(len(weight), dtype=np.float32)
        regular[outliers] = 0
        regular_source = self.op("Mul", [source, self.constant(f"{output}.regular", regular)], f"{output}.kept")
        product = self.linear(regular_source, weight * regular[:, None], bias, f"{output}.int8")
        outlier_source = self.op("Gather", [source, self.constant(f"{output}.outliers", outliers)], f"{output}.taken", axis=-1)
        extra = self.op("MatMul", [outlier_source, self.constant(f"{output}.outlier_weight", weight[outliers])], f"{output}.fp32")
        return self.op("Add", [product, extra], output)

    def gelu(self, source: str, output: str) -> str:
        """Add GELU by tanh. It takes half the time of the exact GELU and changes no label that int8 does not change."""
        return self.op("Gelu", [source], output, approximate="tanh")

    def skip_norm(self, source: str, skip: str, norm: str, output: str, epsilon: float) -> str:
        """Add LayerNorm(source + skip), and the sum as `output.sum`.

        It takes five nodes: ONNX Runtime's WebAssembly build runs them with SIMD, and SkipLayerNormalization without, in twice the time.
        """
        total = self.op("Add", [source, skip], f"{output}.sum")
        centred = self.op("Sub", [total, self.op("ReduceMean", [total, "last_axis"], f"{output}.mean")], f"{output}.centred")
        # ONNX Runtime's name for RMSNormalization, which ONNX has from opset 23 on.
        unit = self.op("SimplifiedLayerNormalization", [centred, f"{norm}.weight"], f"{output}.unit", epsilon=epsilon, axis=-1)
        return self.op("Add", [unit, f"{norm}.bias"], output)

    def norm_weights(self, norm: nn.LayerNorm, name: str) -> str:
        """Add weight and bias of a LayerNorm, as `name.weight` and `name.bias`."""
        self.constant(f"{name}.weight", norm.weight.detach().numpy())
        self.constant(f"{name}.bias", norm.bias.detach().numpy())
        return name


def embed(graph: GraphBuilder, plm: PLM) -> str:
    """Add the normalized sum of word, position and type embeddings. Word embeddings are int8 with a scale for each word."""
    words, scale = quantize_columns(plm.words.detach().numpy().T)
    rows = graph.op("Gather", [graph.constant("words", words.T), "input_ids"], "words.rows")
    floats = graph.op("Cast", [rows], "words.floats", to=TensorProto.FLOAT)
    scales = graph.op("Gather", [graph.constant("words.scale", scale[:, None]), "input_ids"], "words.scales")
    word = graph.op("Mul", [floats, scales], "words.values")
    kind = graph.op("Gather", [graph.constant("types", plm.types.detach().numpy()), "token_type_ids"], "types.values")
    shape = graph.op("Shape", ["input_ids"], "length", start=1, end=2)
    start = graph.constant("zero", np.zeros(1, dtype=np.int64))
    position = graph.op("Slice", [graph.constant("positions", plm.positions.detach().numpy()), start, shape], "positions.values")
    both = graph.op("Add", [word, kind], "embeddings.words_and_types")
    total = graph.op("Add", [both, position], "embeddings.sum")
    norm = graph.norm_weights(plm.norm, "embeddings.norm")
    return graph.op("LayerNormalization", [total, f"{norm}.weight", f"{norm}.bias"], "embeddings", epsilon=plm.norm.eps, axis=-1)


def relative_positions(graph: GraphBuilder, table: torch.Tensor, tokens: str) -> str:
    """Add what a PLM's relative positions add to attention logits, [heads, T, T].

    table: [2 · longest input - 1, heads], see relative_of. tokens: name of the number of tokens, [1].
    """
    longest = (len(table) + 1) // 2
    first = graph.constant("relative.first", np.zeros(1, dtype=np.int64))
    places = graph.op("Slice", [graph.constant("relative.places", np.arange(longest)), first, tokens], "relative.keys")
    shifted = graph.op("Add", [places, graph.constant("relative.shift", np.array([longest - 1]))], "relative.shifted")
    queries = graph.op("Unsqueeze", [places, graph.constant("relative.column", np.ones(1, dtype=np.int64))], "relative.queries")
    distances = graph.op("Sub", [shifted, queries], "relative.distances")
    return graph.op("Gather", [graph.constant("relative", table.numpy().T), distances], "relative.logits", axis=1)


ADAPTER_PARTS = ("down", "up", "gain", "shift")


def split_adapters(graph: GraphBuilder, layers: int) -> None:
    """Split the adapters' inputs by layer, into `layer.I.adapter.PART`."""
    for part in ADAPTER_PARTS:
        each = [f"layer.{index}.adapter.{part}" for index in range(layers)]
        graph.nodes.append(helper.make_node("Split", [f"adapter_{part}"], each, name=f"adapter_{part}.split", axis=0, num_outputs=layers))


def adapter(graph: GraphBuilder, hidden: str, name: str) -> str:
    """Add relu(LN(hidden A) · gain + shift) B, with the four parts `name.PART`."""
    down, up, gain, shift = (f"{name}.{part}" for part in ADAPTER_PARTS)
    projected = graph.op("MatMul", [hidden, down], f"{name}.projected")
    normed = graph.op("LayerNormalization", [projected, gain, shift], f"{name}.norm", epsilon=ADAPTER_NORM_EPS, axis=-1)
    return graph.op("MatMul", [graph.op("Relu", [normed], f"{name}.relu"), up], f"{name}.raised")


def block(
    graph: GraphBuilder, hidden: str, layer: Layer, index: int, heads: int, relative: str, outliers: dict[str, NDArray[np.int64]],
    adapted: bool
) -> str:  # fmt: skip
    """Add an encoder block, with an adapter if `adapted`. relative: name of what attention logits get, or ""."""
    name = f"layer.{index}"
    parts = [weight_of(part) for part in (layer.query, layer.key, layer.value)]
    qkv_weight, qkv_bias = np.concatenate([weight for weight, _ in parts], axis=1), np.concatenate([bias for _, bias in parts])
    qkv = graph.split_linear(hidden, qkv_weight, qkv_bias, outliers["query"], f"{name}.qkv")
    heads_in = [f"{name}.query", f"{name}.key", f"{name}.value"]
    graph.nodes.append(helper.make_node("Split", [qkv], heads_in, name=f"{name}.split", axis=-1, num_outputs=3))
    # The inputs between are a bias of the three products, which have theirs, and a mask of padding, which one text does not have.
    extra = ["", "", relative] if relative else []
    context = graph.op("MultiHeadAttention", [*heads_in, *extra], f"{name}.context", CONTRIB, num_heads=heads)
    attention = graph.linear(context, *weight_of(layer.attention_out), f"{name}.attention")
    norm = graph.norm_weights(layer.attention_norm, f"{name}.attention_norm")
    attended = graph.skip_norm(attention, hidden, norm, f"{name}.attended", layer.attention_norm.eps)

    raised = graph.split_linear(attended, *weight_of(layer.up), outliers["up"], f"{name}.up")
    active = graph.gelu(raised, f"{name}.gelu")
    lowered = graph.split_linear(active, *weight_of(layer.down), outliers["down"], f"{name}.down")
    norm = graph.norm_weights(layer.norm, f"{name}.norm")
    plain = graph.skip_norm(lowered, attended, norm, f"{name}.plain", layer.norm.eps)
    if not adapted:
        return plain
    return graph.skip_norm(adapter(graph, plain, f"{name}.adapter"), f"{plain}.sum", norm, f"{name}.out", layer.norm.eps)


def encoder_graph(plm: PLM, bottleneck: int | None, graph: GraphBuilder | None = None, learnt_from: int | None = None) -> onnx.ModelProto:
    """Return the whole encoder with its weights inside; `external.py` moves them out.

    bottleneck: b of the adapters that are inputs, or None for the plain PLM, whose weights have the same bytes.
    graph: a new builder, of a subclass if some steps differ from the bundle's.
    learnt_from: the layer whose `residual`, the sum before its last LayerNorm, is an output too, for the learning graph.
    """
    graph = graph or GraphBuilder()
    graph.constant("last_axis", np.array([-1], dtype=np.int64))
    hidden = embed(graph, plm)
    if bottleneck is not None:
        split_adapters(graph, len(plm.layers))
    relative = ""
    if plm.relative is not None:
        relative = graph.op("Unsqueeze", [relative_positions(graph, plm.relative, "length"), "relative.first"], "relative.bias")
    for index, (layer, outliers) in enumerate(zip(plm.layers, outlier_channels(plm, graph.outliers), strict=True)):
        hidden = block(graph, hidden, layer, index, plm.heads, relative, outliers, adapted=bottleneck is not None)
    tokens = graph.constant("tokens_axis", np.array([1], dtype=np.int64))
    if plm.pooling is Pooling.mean:
        pooled = graph.op("ReduceMean", [hidden, tokens], "pooled", keepdims=0)
    else:
        first = graph.op("Gather", [hidden, graph.constant("first_token", np.zeros(1, dtype=np.int64))], "first", axis=1)
        pooled = graph.op("Squeeze", [first, tokens], "pooled")
    graph.op("Squeeze", [pooled, graph.constant("text_axis", np.array([0], dtype=np.int64))], "features")

    layers, size = len(plm.layers), plm.hidden
    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT32, [1, "T"]),
        helper.make_tensor_value_info("token_type_ids", TensorProto.INT32, [1, "T"]),
    ]
    if bottleneck is not None:
        shapes = ([size, bottleneck], [bottleneck, size], [bottleneck], [bottleneck])
        for part, shape in zip(ADAPTER_PARTS, shapes, strict=True):
            inputs.append(helper.make_tensor_value_info(f"adapter_{part}", TensorProto.FLOAT, [layers, *shape]))
    outputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, [size])]
    if learnt_from is not None:
        graph.op("Squeeze", [f"layer.{learnt_from}.plain.sum", "text_axis"], "residual")
        outputs.append(helper.make_tensor_value_info("residual", TensorProto.FLOAT, ["T", size]))
    proto = helper.make_graph(graph.nodes, "encoder", inputs, outputs, graph.weights)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(proto, opset_imports=opsets, ir_version=IR_VERSION, producer_name="xpeft")
