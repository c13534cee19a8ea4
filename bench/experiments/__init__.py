"""The papers' experiments, run again: ``catalog.Experiment`` is what one is, ``catalog.CLASSES`` says where each is."""
