"""Softmax regression as a torch module."""

import torch
from torch import Tensor, nn


class SoftmaxRegression(nn.Module):
    """One linear layer from features to class logits; the loss holds the softmax."""

    def __init__(
        self, features: int, classes: int, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(features, classes, dtype=dtype)

    def forward(self, X: Tensor) -> Tensor:
        """Map X (n, features) to logits (n, classes)."""
        logits: Tensor = self.linear(X)
        return logits

    @torch.no_grad()
    def set_weights(self, W: Tensor, b: Tensor) -> None:
        """Copy W (features, classes) and b (classes,) into the layer."""
        self.linear.weight.copy_(W.T)
        self.linear.bias.copy_(b)

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return W (features, classes) and b (classes,) as CPU copies."""
        W = self.linear.weight.detach().T.cpu().clone()
        return W, self.linear.bias.detach().cpu().clone()
