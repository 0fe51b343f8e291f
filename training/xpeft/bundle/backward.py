"""Builds the backward steps of the learning graph: the gradient of each operator of a block, node by node.

A gradient has the name of its value and the ending `.gradient`. Values are [T, …], of one text.
"""

import numpy as np

from xpeft.bundle.graph import GraphBuilder

# GELU by tanh: 0.5 x (1 + tanh(SLOPE (x + CUBIC x³))), as Hendrycks & Gimpel (arXiv 1606.08415) give it.
SLOPE = float(np.sqrt(2 / np.pi))
CUBIC = 0.044715


class BackwardBuilder(GraphBuilder):
    """Add forward steps that keep what their backward steps need, and the backward steps."""

    def scalar(self, value: float) -> str:
        """Add a scalar constant."""
        name = f"number.{value!r}"
        if name not in {weight.name for weight in self.weights}:
            self.constant(name, np.array(value, dtype=np.float32))
        return name

    def product(
        self, left: str, right: str, output: str, transpose_left: bool = False, transpose_right: bool = False, bias: str = ""
    ) -> str:
        """Add the product of two matrices, each transposed first if requested."""
        inputs = [left, right, bias] if bias else [left, right]
        return self.op("Gemm", inputs, output, transA=int(transpose_left), transB=int(transpose_right))

    def row_mean(self, source: str, output: str) -> str:
        """Add the mean over the last axis, [T, 1]."""
        return self.op("ReduceMean", [source, "last_axis"], output)

    def normalize(self, source: str, epsilon: float, output: str) -> str:
        """Add LayerNorm without an affine, and its factor `output.scale` [T, 1]."""
        centred = self.op("Sub", [source, self.row_mean(source, f"{output}.mean")], f"{output}.centred")
        variance = self.row_mean(self.op("Mul", [centred, centred], f"{output}.squares"), f"{output}.variance")
        spread = self.op("Sqrt", [self.op("Add", [variance, self.scalar(epsilon)], f"{output}.kept")], f"{output}.spread")
        scale = self.op("Reciprocal", [spread], f"{output}.scale")
        return self.op("Mul", [centred, scale], output)

    def normalize_backward(self, gradient: str, unit: str, output: str) -> str:
        """Add the gradient of the input of `normalize`, from the gradient of its output `unit`."""
        mean = self.row_mean(gradient, f"{output}.mean")
        along = self.row_mean(self.op("Mul", [gradient, unit], f"{output}.products"), f"{output}.along")
        rest = self.op("Sub", [gradient, mean], f"{output}.centred")
        rest = self.op("Sub", [rest, self.op("Mul", [unit, along], f"{output}.removed")], f"{output}.rest")
        return self.op("Mul", [rest, f"{unit}.scale"], output)

    def norm(self, source: str, norm: str, epsilon: float, output: str) -> str:
        """Add LayerNorm with the weight and bias `norm`."""
        scaled = self.op("Mul", [self.normalize(source, epsilon, f"{output}.unit"), f"{norm}.weight"], f"{output}.scaled")
        return self.op("Add", [scaled, f"{norm}.bias"], output)

    def norm_backward(self, gradient: str, norm: str, normed: str, output: str) -> str:
        """Add the gradient of the input of the LayerNorm with the output `normed`."""
        scaled = self.op("Mul", [gradient, f"{norm}.weight"], f"{output}.scaled")
        return self.normalize_backward(scaled, f"{normed}.unit", output)

    def gelu_backward(self, gradient: str, source: str, output: str) -> str:
        """Add the gradient of the input `source` of GELU by tanh."""
        square = self.op("Mul", [source, source], f"{output}.square")
        # The tanh's argument is x · slope · (1 + cubic · x²); its slope has 3 · cubic instead.
        inner = self.op("Mul", [square, self.scalar(SLOPE * CUBIC)], f"{output}.cubic")
        inner = self.op("Add", [inner, self.scalar(SLOPE)], f"{output}.factor")
        tanh = self.op("Tanh", [self.op("Mul", [inner, source], f"{output}.argument")], f"{output}.tanh")
        steep = self.op("Mul", [square, self.scalar(3 * SLOPE * CUBIC)], f"{output}.cubic_slope")
        steep = self.op("Add", [steep, self.scalar(SLOPE)], f"{output}.argument_slope")
        rest = self.op("Sub", [self.scalar(1.0), self.op("Mul", [tanh, tanh], f"{output}.tanh_square")], f"{output}.tanh_slope")
        bend = self.op("Mul", [self.op("Mul", [steep, source], f"{output}.bent"), rest], f"{output}.bend")
        both = self.op("Add", [self.op("Add", [tanh, bend], f"{output}.sum"), self.scalar(1.0)], f"{output}.twice")
        slope = self.op("Mul", [both, self.scalar(0.5)], f"{output}.slope")
        return self.op("Mul", [gradient, slope], output)

    def softmax_backward(self, gradient: str, shares: str, output: str) -> str:
        """Add the gradient of the input of the softmax over the last axis with the output `shares`."""
        products = self.op("Mul", [gradient, shares], f"{output}.products")
        total = self.op("ReduceSum", [products, "last_axis"], f"{output}.total")
        return self.op("Sub", [products, self.op("Mul", [shares, total], f"{output}.removed")], output)

    def to_heads(self, source: str, output: str) -> str:
        """Reshape [T, d] to [heads, T, d / heads]; `heads_shape` and `flat_shape` are constants of the graph."""
        return self.op("Transpose", [self.op("Reshape", [source, "heads_shape"], f"{output}.parts")], output, perm=[1, 0, 2])

    def from_heads(self, source: str, output: str) -> str:
        """Reshape [heads, T, d / heads] to [T, d]."""
        return self.op("Reshape", [self.op("Transpose", [source], f"{output}.parts", perm=[1, 0, 2]), "flat_shape"], output)

    def transpose(self, source: str, output: str) -> str:
        """Exchange the last two of three axes."""
        return self.op("Transpose", [source], output, perm=[0, 2, 1])
