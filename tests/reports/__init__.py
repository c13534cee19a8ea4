"""Tests of ``reports``, on results made up here."""
