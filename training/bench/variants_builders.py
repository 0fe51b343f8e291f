"""Builders that change a step or two of the bundle's graph; `variants.py` names the variants."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from xpeft.bundle.graph import CONTRIB, Array, GraphBuilder


class Fp32(GraphBuilder):
    """Products in fp32."""

    def product(self, source: str, weight: Array, output: str) -> str:
        """Add source times a weight [in, out]."""
        return self.op("MatMul", [source, self.constant(f"{output}.weight", weight)], output)

    def linear(self, source: str, weight: Array, bias: Array, output: str) -> str:
        """Add the product and its bias."""
        return self.op("Add", [self.product(source, weight, f"{output}.product"), self.constant(f"{output}.bias", bias)], output)


class Dequantized(Fp32):
    """Int8 weights, made fp32 at each run by DequantizeLinear."""

    def product(self, source: str, weight: Array, output: str) -> str:
        """Add a product in fp32 with a weight that is stored in int8, a scale for each column."""
        steps, scale = self.quantize(weight)
        stored = [self.constant(f"{output}.steps", steps), self.constant(f"{output}.scale", scale)]
        return self.op("MatMul", [source, self.op("DequantizeLinear", stored, f"{output}.weight", axis=1)], output)


class Blocks8(Fp32):
    """Int8 weights alone, by MatMulNBits: a scale for each 32 rows of a column, activations in fp32."""

    bits: ClassVar[int] = 8
    block: ClassVar[int] = 32

    def product(self, source: str, weight: Array, output: str) -> str:
        """Add a product with a weight in blocks of steps; the middle step is 0."""
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
        """Return a weight [in, out] in symmetric int8, and its scale, a scalar."""
        scale = np.asarray(max(np.abs(weight).max(), 1e-12) / 127, dtype=np.float32)
        return np.rint(weight / scale).astype(np.int8), scale


class OutliersBeforeDown(GraphBuilder):
    """Outlier channels before the feed-forward's second product alone."""

    def split_linear(self, source: str, weight: Array, bias: Array, outliers: NDArray[np.int64], output: str) -> str:
        """Add a linear layer, all in int8 unless it is `down`."""
        return super().split_linear(source, weight, bias, outliers if output.endswith(".down") else outliers[:0], output)


class ExactGelu(GraphBuilder):
    """GELU by erf, as the PLM has it."""

    def gelu(self, source: str, output: str) -> str:
        """Add the exact GELU."""
        return self.op("Gelu", [source], output)


class FusedNorm(GraphBuilder):
    """SkipLayerNormalization, one node in place of five."""

    def skip_norm(self, source: str, skip: str, norm: str, output: str, epsilon: float) -> str:
        """Add LayerNorm(source + skip), and the sum as `output.sum`."""
        inputs, outputs = [source, skip, f"{norm}.weight", f"{norm}.bias"], [output, "", "", f"{output}.sum"]
        self.nodes.append(helper.make_node("SkipLayerNormalization", inputs, outputs, name=output, domain=CONTRIB, epsilon=epsilon))
        return output
