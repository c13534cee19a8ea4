"""How is the whole loss differentiated? One file a method, each with ``value_and_grad``."""
