"""Tests of ``bench.compare``."""
