"""How does a fixed point pass its gradient on? One file a method, each with ``fixed_point``."""
