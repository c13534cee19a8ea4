"""Tests of how things are measured; no framework is imported here."""
