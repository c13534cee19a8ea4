"""How often the gate cries wolf, and how often it catches what was put there; nothing of the gate itself needs it."""
