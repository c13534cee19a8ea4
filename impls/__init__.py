"""Gradient methods, the problems that they are tried on, and the oracles that they must meet.

``impls.torch`` and ``impls.jax`` are twins: the same files, names and signatures. Importing ``impls`` imports neither.
"""
