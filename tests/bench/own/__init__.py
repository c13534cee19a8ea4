"""Tests of ``gradratio.compare``."""
