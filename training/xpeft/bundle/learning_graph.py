"""Builds the learning graph: the last blocks of the encoder in fp32, forward and backward. ONNX Runtime runs it to get the gradients of
one text's merged adapters (docs/formats.md, "Learning graph").

Its weights are the encoder's files, dequantized at each run, so that they need no more memory. Only the last blocks learn: the output of
the earlier blocks is the same in each pass, and the encoder computes it once.
"""

import re
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper

from xpeft.bundle.backward import BackwardBuilder
from xpeft.bundle.graph import CONTRIB, IR_VERSION, OPSET, relative_positions
from xpeft.encoder import ADAPTER_NORM_EPS
from xpeft.plm import PLM
from xpeft.pooling import Pooling

# How many of the last layers learn masks at the edge. Each one costs a block, forward and backward, for each text.
LEARNT_LAYERS = 2


def first_learnt(layers: int, learnt: int = LEARNT_LAYERS) -> int:
    """Return the first layer that learns, of a PLM with `layers` layers."""
    return max(0, layers - learnt)


def learnt_weights(first: int) -> Callable[[str], bool]:
    """Return a test, by name, for the encoder's weights that the learning graph uses: after layer `first`, that layer's last norm, and
    the relative positions.
    """

    def is_learnt(name: str) -> bool:
        layer = re.match(r"layer\.(\d+)\.", name)
        return name == "relative" or (layer is not None and (int(layer[1]) > first or name.startswith(f"layer.{first}.norm.")))

    return is_learnt


class LearningGraph(BackwardBuilder):
    """Collects the nodes of the graph. Weights are the encoder's, by name."""

    def __init__(self, plm: PLM, encoder: onnx.ModelProto, first: int) -> None:
        super().__init__()
        self.plm = plm
        self.first = first
        self.matrices: dict[str, str] = {}
        self.known = {tensor.name: tensor for tensor in encoder.graph.initializer}
        head = plm.hidden // plm.heads
        self.constant("last_axis", np.array([-1], dtype=np.int64))
        self.constant("first_axis", np.array([0], dtype=np.int64))
        self.constant("heads_shape", np.array([-1, plm.heads, head], dtype=np.int64))
        self.constant("flat_shape", np.array([-1, plm.hidden], dtype=np.int64))
        self.scale = self.scalar(float(1 / np.sqrt(head)))
        self.relative = ""

    def shared(self, name: str) -> str:
        """Add a weight of the encoder."""
        self.weights.append(self.known[name])
        return name

    def matrix(self, name: str) -> str:
        """Add the fp32 weight [in, out] of a product of the encoder: dequantized int8, and the rows of the outlier channels in fp32."""
        if name in self.matrices:
            return self.matrices[name]
        stored = name if f"{name}.weight" in self.known else f"{name}.int8"
        steps = [self.shared(f"{stored}.weight"), self.shared(f"{stored}.scale")]
        whole = self.op("DequantizeLinear", steps, f"{name}.dequantized", axis=1)
        if stored == name:
            self.matrices[name] = whole
            return whole
        rows = np.frombuffer(self.known[f"{name}.outliers"].raw_data, dtype=np.int64).reshape(-1, 1)
        places = self.constant(f"{name}.outlier_rows", rows)
        whole = self.op("ScatterND", [whole, places, self.shared(f"{name}.outlier_weight")], f"{name}.matrix")
        self.matrices[name] = whole
        return whole

    def bias(self, name: str) -> str:
        """Add the bias of a product of the encoder."""
        return self.shared(f"{name}.bias" if f"{name}.bias" in self.known else f"{name}.int8.bias")

    def norm_of(self, name: str) -> str:
        """Add weight and bias of a LayerNorm of the encoder."""
        self.shared(f"{name}.weight")
        self.shared(f"{name}.bias")
        return name

    def adapter(self, index: int, residual: str) -> str:
        """Add a block's output [T, d]: its residual plus the adapter, in Pfeiffer's placement."""
        name, layer = f"layer.{index}", self.plm.layers[index]
        norm = self.norm_of(f"{name}.norm")
        plain = self.norm(residual, norm, layer.norm.eps, f"{name}.plain")
        projected = self.product(plain, f"{name}.adapter.down", f"{name}.adapter.projected")
        raised = self.op("Relu", [self.normalize(projected, ADAPTER_NORM_EPS, f"{name}.adapter.unit")], f"{name}.adapter.relu")
        added = self.product(raised, f"{name}.adapter.up", f"{name}.adapter.raised")
        return self.norm(self.op("Add", [residual, added], f"{name}.sum"), norm, layer.norm.eps, f"{name}.out")

    def adapter_backward(self, index: int, gradient: str) -> str:
        """Add the gradients of a block's residual and of its adapter, `layer.I.adapter.PART.gradient`, from the gradient of its output."""
        name = f"layer.{index}"
        adapter, norm = f"{name}.adapter", f"{name}.norm"
        total = self.norm_backward(gradient, norm, f"{name}.out", f"{name}.sum.gradient")
        self.product(f"{adapter}.relu", total, f"{adapter}.up.gradient", transpose_left=True)
        raised = self.product(total, f"{adapter}.up", f"{adapter}.relu.gradient", transpose_right=True)
        zero = self.scalar(0.0)
        open_ = self.op("Greater", [f"{adapter}.unit", zero], f"{adapter}.open")
        passed = self.op("Where", [open_, raised, zero], f"{adapter}.unit.gradient")
        projected = self.normalize_backward(passed, f"{adapter}.unit", f"{adapter}.projected.gradient")
        self.product(f"{name}.plain", projected, f"{adapter}.down.gradient", transpose_left=True)
        if index == self.first:
            return total
        plain = self.product(projected, f"{adapter}.down", f"{name}.plain.gradient", transpose_right=True)
        return self.op(
            "Add", [total, self.norm_backward(plain, norm, f"{name}.plain", f"{name}.inner.gradient")], f"{name}.residual.gradient"
        )

    def block(self, index: int, hidden: str) -> str:
        """Add a block's residual: attention and feed-forward part, before the last LayerNorm."""
        name, layer = f"layer.{index}", self.plm.layers[index]
        qkv = self.product(hidden, self.matrix(f"{name}.qkv"), f"{name}.qkv.out", bias=self.bias(f"{name}.qkv"))
        parts = [f"{name}.{part}.flat" for part in ("query", "key", "value")]
        self.nodes.append(helper.make_node("Split", [qkv], parts, name=f"{name}.split", axis=-1, num_outputs=3))
        query, key, value = (self.to_heads(part, part.removesuffix(".flat")) for part in parts)
        products = self.op("MatMul", [query, self.transpose(key, f"{name}.key.turned")], f"{name}.products")
        logits = self.op("Mul", [products, self.scale], f"{name}.logits")
        if self.relative:
            logits = self.op("Add", [logits, self.relative], f"{name}.placed")
        shares = self.op("Softmax", [logits], f"{name}.shares", axis=-1)
        context = self.from_heads(self.op("MatMul", [shares, value], f"{name}.context.heads"), f"{name}.context")
        attention = self.product(context, self.matrix(f"{name}.attention"), f"{name}.attention.out", bias=self.bias(f"{name}.attention"))
        norm = self.norm_of(f"{name}.attention_norm")
        total = self.op("Add", [attention, hidden], f"{name}.attended.sum")
        attended = self.norm(total, norm, layer.attention_norm.eps, f"{name}.attended")
        raised = self.product(attended, self.matrix(f"{name}.up"), f"{name}.up.out", bias=self.bias(f"{name}.up"))
        active = self.gelu(raised, f"{name}.gelu")
        lowered = self.product(active, self.matrix(f"{name}.down"), f"{name}.down.out", bias=self.bias(f"{name}.down"))
        return self.op("Add", [lowered, attended], f"{name}.residual")

    def block_backward(self, index: int, gradient: str) -> str:
        """Add the gradient of a block's input, from the gradient of its residual."""
        name = f"layer.{index}"
        active = self.product(gradient, self.matrix(f"{name}.down"), f"{name}.gelu.gradient", transpose_right=True)
        raised = self.gelu_backward(active, f"{name}.up.out", f"{name}.up.gradient")
        inner = self.product(raised, self.matrix(f"{name}.up"), f"{name}.attended.inner", transpose_right=True)
        attended = self.op("Add", [gradient, inner], f"{name}.attended.gradient")
        total = self.norm_backward(attended, f"{name}.attention_norm", f"{name}.attended", f"{name}.attended.sum.gradient")
        flat = self.product(total, self.matrix(f"{name}.attention"), f"{name}.context.gradient", transpose_right=True)
        context = self.to_heads(flat, f"{name}.context.heads.gradient")
        shares, query, key, value = (f"{name}.{part}" for part in ("shares", "query", "key", "value"))
        back = self.op("MatMul", [context, self.transpose(value, f"{value}.turned")], f"{shares}.gradient")
        logits = self.softmax_backward(back, shares, f"{name}.logits.gradient")
        products = self.op("Mul", [logits, self.scale], f"{name}.products.gradient")
        gradients = [
            self.op("MatMul", [products, key], f"{query}.gradient"),
            self.op("MatMul", [self.transpose(products, f"{name}.products.turned"), query], f"{key}.gradient"),
            self.op("MatMul", [self.transpose(shares, f"{shares}.turned"), context], f"{value}.gradient"),
        ]
        parts = [self.from_heads(part, f"{part}.flat") for part in gradients]
        qkv = self.op("Concat", parts, f"{name}.qkv.gradient", axis=-1)
        inner = self.product(qkv, self.matrix(f"{name}.qkv"), f"{name}.input.inner", transpose_right=True)
        return self.op("Add", [total, inner], f"{name}.input.gradient")

    def loss(self, hidden: str) -> str:
        """Add pooled features, logits, and the cross entropy to the targets [labels], and return the gradient of `hidden` [T, d]."""
        scores = self.product(self.pool(hidden), "head", "scores", transpose_right=True, bias="bias")
        logits = self.op("Squeeze", [scores, "first_axis"], "logits")
        certain = self.op("LogSoftmax", [logits], "log_shares", axis=-1)
        likely = self.op("ReduceSum", [self.op("Mul", ["target", certain], "likelihoods"), "last_axis"], "likelihood", keepdims=0)
        self.op("Neg", [likely], "loss")
        missed = self.op("Sub", [self.op("Exp", [certain], "label_shares"), "target"], "logits.gradient")
        row = self.op("Unsqueeze", [missed, "first_axis"], "scores.gradient")
        return self.pool_backward(hidden, self.product(row, "head", "features.gradient"))

    def pool(self, hidden: str) -> str:
        """Add pooled features [1, d] of the last layer's output [T, d]."""
        if self.plm.pooling is Pooling.mean:
            return self.op("ReduceMean", [hidden, "first_axis"], "features", keepdims=1)
        return self.op("Gather", [hidden, self.constant("first_token", np.zeros(1, dtype=np.int64))], "features", axis=0)

    def pool_backward(self, hidden: str, pooled: str) -> str:
        """Add the gradient of `hidden` [T, d], from the gradient of the features."""
        if self.plm.pooling is Pooling.mean:
            length = self.op("Cast", [self.op("Shape", [hidden], "tokens", start=0, end=1)], "tokens.float", to=TensorProto.FLOAT)
            share = self.op("Div", [pooled, length], "token.gradient")
            return self.op("Expand", [share, self.op("Shape", [hidden], "hidden.shape")], "output.gradient")
        zeros = self.op("ConstantOfShape", [self.op("Shape", [hidden], "hidden.shape")], "output.zeros")
        row = self.constant("first_row", np.zeros((1, 1), dtype=np.int64))
        return self.op("ScatterND", [zeros, row, pooled], "output.gradient")


def learning_graph(plm: PLM, bottleneck: int, encoder: onnx.ModelProto, first: int) -> onnx.ModelProto:
    """Return the graph that gives the gradients of the adapters from layer `first` on.

    encoder: the bundle's encoder, whose weights the graph uses; they may be inside it or in external files.
    """
    graph = LearningGraph(plm, encoder, first)
    layers, size = len(plm.layers) - first, plm.hidden
    for part in ("down", "up"):
        each = [f"layer.{first + index}.adapter.{part}" for index in range(layers)]
        split = [f"{name}.slice" for name in each]
        graph.nodes.append(helper.make_node("Split", [f"adapter_{part}"], split, name=f"adapter_{part}.split", axis=0, num_outputs=layers))
        for name, piece in zip(each, split, strict=True):
            graph.op("Squeeze", [piece, "first_axis"], name)
    if plm.relative is not None and first + 1 < len(plm.layers):
        graph.relative = relative_positions(graph, plm.relative, graph.op("Shape", ["residual"], "length", start=0, end=1))
    hidden = graph.adapter(first, "residual")
    for index in range(first + 1, len(plm.layers)):
        hidden = graph.adapter(index, graph.block(index, hidden))
    gradient = graph.loss(hidden)
    for index in reversed(range(first, len(plm.layers))):
        gradient = graph.adapter_backward(index, gradient)
        if index > first:
            gradient = graph.block_backward(index, gradient)
    for part in ("down", "up"):
        each = [
            graph.op("Unsqueeze", [f"layer.{first + index}.adapter.{part}.gradient", "first_axis"], f"gradient.{part}.{index}")
            for index in range(layers)
        ]
        graph.op("Concat", each, f"gradient_{part}", axis=0)

    floats = {
        "residual": ["T", size],
        "adapter_down": [layers, size, bottleneck],
        "adapter_up": [layers, bottleneck, size],
        "head": ["labels", size],
        "bias": ["labels"],
        "target": ["labels"],
    }
    results = {
        "loss": [],
        "logits": ["labels"],
        "gradient_down": floats["adapter_down"],
        "gradient_up": floats["adapter_up"],
    }
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()] for shapes in (floats, results)
    )
    proto = helper.make_graph(graph.nodes, "learning", inputs, outputs, graph.weights)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(proto, opset_imports=opsets, ir_version=IR_VERSION, producer_name="xpeft")
