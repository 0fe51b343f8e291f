"""Backward steps of the learning graph: what each operator of a block sends back to its inputs, node by node.

A gradient is called as the value it belongs to, with `.gradient` behind it. Values are [T, …]: one text.
"""

import numpy as np

from xpeft.bundle.graph import GraphBuilder

# GELU by tanh: 0.5 x (1 + tanh(SLOPE (x + CUBIC x³))), as Hendrycks & Gimpel (arXiv 1606.08415) give it.
SLOPE = float(np.sqrt(2 / np.pi))
CUBIC = 0.044715


class BackwardBuilder(GraphBuilder):
    """Forward steps that leave what their way back needs, and the way back."""

    def number(self, value: float) -> str:
        """A constant of no dimension."""
        name = f"number.{value!r}"
        if name not in {weight.name for weight in self.weights}:
            self.constant(name, np.array(value, dtype=np.float32))
        return name

    def product(self, left: str, right: str, output: str, left_turned: bool = False, right_turned: bool = False, bias: str = "") -> str:
        """left times right, two matrices, either of them transposed first if it is `turned`."""
        inputs = [left, right, bias] if bias else [left, right]
        return self.op("Gemm", inputs, output, transA=int(left_turned), transB=int(right_turned))

    def row_mean(self, source: str, output: str) -> str:
        """Mean over the last axis, [T, 1]."""
        return self.op("ReduceMean", [source, "last_axis"], output)

    def unit(self, source: str, epsilon: float, output: str) -> str:
        """LayerNorm without an affine; `output.scale` [T, 1] is what it multiplied by."""
        centred = self.op("Sub", [source, self.row_mean(source, f"{output}.mean")], f"{output}.centred")
        variance = self.row_mean(self.op("Mul", [centred, centred], f"{output}.squares"), f"{output}.variance")
        spread = self.op("Sqrt", [self.op("Add", [variance, self.number(epsilon)], f"{output}.kept")], f"{output}.spread")
        scale = self.op("Reciprocal", [spread], f"{output}.scale")
        return self.op("Mul", [centred, scale], output)

    def unit_back(self, gradient: str, unit: str, output: str) -> str:
        """Gradient of the input of `unit`, of the gradient of what it gave."""
        mean = self.row_mean(gradient, f"{output}.mean")
        along = self.row_mean(self.op("Mul", [gradient, unit], f"{output}.products"), f"{output}.along")
        rest = self.op("Sub", [gradient, mean], f"{output}.centred")
        rest = self.op("Sub", [rest, self.op("Mul", [unit, along], f"{output}.removed")], f"{output}.rest")
        return self.op("Mul", [rest, f"{unit}.scale"], output)

    def norm(self, source: str, norm: str, epsilon: float, output: str) -> str:
        """LayerNorm with the weight and bias `norm`."""
        scaled = self.op("Mul", [self.unit(source, epsilon, f"{output}.unit"), f"{norm}.weight"], f"{output}.scaled")
        return self.op("Add", [scaled, f"{norm}.bias"], output)

    def norm_back(self, gradient: str, norm: str, normed: str, output: str) -> str:
        """Gradient of the input of the LayerNorm that gave `normed`."""
        scaled = self.op("Mul", [gradient, f"{norm}.weight"], f"{output}.scaled")
        return self.unit_back(scaled, f"{normed}.unit", output)

    def gelu_back(self, gradient: str, source: str, output: str) -> str:
        """Gradient of the input `source` of GELU by tanh."""
        square = self.op("Mul", [source, source], f"{output}.square")
        # slope · (1 + cubic · x²), and with 3 times cubic the slope of the tanh's argument
        inner = self.op("Mul", [square, self.number(SLOPE * CUBIC)], f"{output}.cubic")
        inner = self.op("Add", [inner, self.number(SLOPE)], f"{output}.factor")
        tanh = self.op("Tanh", [self.op("Mul", [inner, source], f"{output}.argument")], f"{output}.tanh")
        steep = self.op("Mul", [square, self.number(3 * SLOPE * CUBIC)], f"{output}.cubic_slope")
        steep = self.op("Add", [steep, self.number(SLOPE)], f"{output}.argument_slope")
        rest = self.op("Sub", [self.number(1.0), self.op("Mul", [tanh, tanh], f"{output}.tanh_square")], f"{output}.tanh_slope")
        bend = self.op("Mul", [self.op("Mul", [steep, source], f"{output}.bent"), rest], f"{output}.bend")
        both = self.op("Add", [self.op("Add", [tanh, bend], f"{output}.sum"), self.number(1.0)], f"{output}.twice")
        slope = self.op("Mul", [both, self.number(0.5)], f"{output}.slope")
        return self.op("Mul", [gradient, slope], output)

    def softmax_back(self, gradient: str, shares: str, output: str) -> str:
        """Gradient of the input of the softmax over the last axis that gave `shares`."""
        products = self.op("Mul", [gradient, shares], f"{output}.products")
        total = self.op("ReduceSum", [products, "last_axis"], f"{output}.total")
        return self.op("Sub", [products, self.op("Mul", [shares, total], f"{output}.removed")], output)

    def to_heads(self, source: str, output: str) -> str:
        """[T, d] as [heads, T, d / heads]; `heads_shape` and `flat_shape` are constants of the graph."""
        return self.op("Transpose", [self.op("Reshape", [source, "heads_shape"], f"{output}.parts")], output, perm=[1, 0, 2])

    def from_heads(self, source: str, output: str) -> str:
        """[heads, T, d / heads] as [T, d]."""
        return self.op("Reshape", [self.op("Transpose", [source], f"{output}.parts", perm=[1, 0, 2]), "flat_shape"], output)

    def turned(self, source: str, output: str) -> str:
        """The last two of three axes exchanged."""
        return self.op("Transpose", [source], output, perm=[0, 2, 1])
