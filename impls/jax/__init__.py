"""Gradient methods in JAX; twin of ``impls.torch``."""
