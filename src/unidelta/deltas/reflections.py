"""HRA's chain of reflections. Shapes: D features, N reflections."""

import math

import torch
from torch import Generator, Tensor, nn

from unidelta.deltas.form_module import FormModule
from unidelta.deltas.linear_algebra import row_lengths, triangle_inverse_times


class Reflections(FormModule):
    """`M = H₁ … H_N − 1` with `H_i = 1 − 2 u_i u_iᵀ / ‖u_i‖²` (Yuan et al. 2024, §3.1).

    With the unit vectors as the rows of V, `H₁ … H_N = 1 − Vᵀ T⁻¹ V`, T = ½ + the part of V Vᵀ above the diagonal: one
    triangular solve in place of N products. The u_i start as equal pairs, Kaiming-uniform, so that the product is 1.

    Args:
        width: D.
        n_reflections: N, even.
        generator: the source of randomness of the initialisation.
    """

    is_linear = True

    def __init__(self, width: int, n_reflections: int, *, generator: Generator) -> None:
        super().__init__()
        half = nn.init.kaiming_uniform_(torch.empty(n_reflections // 2, width), a=math.sqrt(5), generator=generator)
        self.normals = nn.Parameter(half.repeat_interleave(2, dim=0))

    def matrix(self) -> Tensor:
        """M, `(D, D)`."""
        unit_ND = self.normals / row_lengths(self.normals)[:, None]
        triangle_NN = (unit_ND @ unit_ND.T).triu(1) + torch.eye(len(unit_ND)).to(unit_ND) / 2
        return -unit_ND.T @ triangle_inverse_times(triangle_NN, unit_ND)

    def forward(self, z: Tensor) -> Tensor:
        """M z, `(..., D)`."""
        return z @ self.matrix().T
