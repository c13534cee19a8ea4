"""Gradient methods in PyTorch; twin of ``impls.jax``."""
