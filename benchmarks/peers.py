"""The peers: minitorch's GPT, written the usual way in flax nnx and in PyTorch, with the same weights.

Learned positions, LayerNorm without bias, GELU by its tanh approximation, no other biases, and a head tied to the token
embedding: the model that the public nanoGPT trains on a CPU.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np


def weights_by_path(model: Any) -> dict[str, np.ndarray]:
    """Return the weights of `model` as NumPy arrays, by path."""
    from minitorch.nn import paths

    return {path: np.array(value) for path, value in paths.flatten(model).items()}


def decayed(path: str) -> bool:
    """Matrices decay, norms do not: the same rule for everybody."""
    return not path.endswith("scale")


def flax_gpt(model: Any) -> Any:
    """Return a flax nnx module with the weights of `model`; a call maps ids (B, T) to logits (B, T, V)."""
    from flax import nnx

    c, w = model.config, weights_by_path(model)
    rngs = nnx.Rngs(0)

    class Block(nnx.Module):
        def __init__(self, i: int):
            self.attention_norm = nnx.LayerNorm(c.width, use_bias=False, epsilon=1e-5, rngs=rngs)
            self.qkv = nnx.Linear(c.width, 3 * c.width, use_bias=False, rngs=rngs)
            self.out = nnx.Linear(c.width, c.width, use_bias=False, rngs=rngs)
            self.mlp_norm = nnx.LayerNorm(c.width, use_bias=False, epsilon=1e-5, rngs=rngs)
            self.up = nnx.Linear(c.width, 4 * c.width, use_bias=False, rngs=rngs)
            self.down = nnx.Linear(4 * c.width, c.width, use_bias=False, rngs=rngs)
            for name, path in BLOCK.items():
                layer = getattr(self, name)
                kernel = layer.scale if name.endswith("norm") else layer.kernel
                kernel.set_value(jax.numpy.asarray(w[f"blocks.{i}.{path}"]))

        def __call__(self, x: Any) -> Any:
            B, T, D = x.shape
            q, k, v = jax.numpy.split(self.qkv(self.attention_norm(x)).reshape(B, T, 3 * c.heads, -1), 3, axis=2)
            y = jax.nn.dot_product_attention(q, k, v, is_causal=True)  # (B, T, H, D/H)
            x = x + self.out(y.reshape(B, T, D))
            return x + self.down(jax.nn.gelu(self.up(self.mlp_norm(x))))

    class GPT(nnx.Module):
        def __init__(self):
            self.token = nnx.Embed(c.vocab, c.width, rngs=rngs)
            self.position = nnx.Embed(c.context, c.width, rngs=rngs)
            self.blocks = nnx.List([Block(i) for i in range(c.layers)])
            self.norm = nnx.LayerNorm(c.width, use_bias=False, epsilon=1e-5, rngs=rngs)
            self.token.embedding.set_value(jax.numpy.asarray(w["token.weight"]))
            self.position.embedding.set_value(jax.numpy.asarray(w["position.weight"]))

        def __call__(self, ids: Any) -> Any:
            x = self.token(ids) + self.position(jax.numpy.arange(ids.shape[1]))
            for block in self.blocks:
                x = block(x)
            return self.token.attend(self.norm(x))

    return GPT()


BLOCK = {
    "attention_norm": "attention_norm.scale",
    "qkv": "attention.qkv.weight",
    "out": "attention.out.weight",
    "mlp_norm": "mlp_norm.scale",
    "up": "mlp.up.weight",
    "down": "mlp.down.weight",
}


def torch_gpt(model: Any) -> Any:
    """Return a PyTorch module with the weights of `model`; a call maps ids (B, T) to logits (B, T, V)."""
    import torch
    from torch import nn

    c, w = model.config, weights_by_path(model)

    class Block(nn.Module):
        def __init__(self, i: int):
            super().__init__()
            self.attention_norm = nn.LayerNorm(c.width, bias=False)
            self.qkv = nn.Linear(c.width, 3 * c.width, bias=False)
            self.out = nn.Linear(c.width, c.width, bias=False)
            self.mlp_norm = nn.LayerNorm(c.width, bias=False)
            self.up = nn.Linear(c.width, 4 * c.width, bias=False)
            self.down = nn.Linear(4 * c.width, c.width, bias=False)
            for name, path in BLOCK.items():  # PyTorch keeps a linear layer's weight the other way round.
                getattr(self, name).weight.data = torch.tensor(w[f"blocks.{i}.{path}"].T.copy())

        def forward(self, x: Any) -> Any:
            B, T, D = x.shape
            q, k, v = (z.view(B, T, c.heads, -1).transpose(1, 2) for z in self.qkv(self.attention_norm(x)).split(D, 2))
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, H, T, D/H)
            x = x + self.out(y.transpose(1, 2).reshape(B, T, D))
            return x + self.down(nn.functional.gelu(self.up(self.mlp_norm(x)), approximate="tanh"))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Embedding(c.vocab, c.width, _weight=torch.tensor(w["token.weight"]))
            self.position = nn.Embedding(c.context, c.width, _weight=torch.tensor(w["position.weight"]))
            self.blocks = nn.ModuleList(Block(i) for i in range(c.layers))
            self.norm = nn.LayerNorm(c.width, bias=False)

        def forward(self, ids: Any) -> Any:
            x = self.token(ids) + self.position(torch.arange(ids.shape[1]))
            for block in self.blocks:
                x = block(x)
            return self.norm(x) @ self.token.weight.T

    return GPT()


def torch_optimizer(module: Any, learning_rate: float, weight_decay: float, b2: float) -> Any:
    """Return AdamW that decays matrices only, in PyTorch's default implementation."""
    import torch

    groups = [
        {"params": [p for p in module.parameters() if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in module.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, b2), eps=1e-8)
