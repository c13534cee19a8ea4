"""Tests of the face: one's own model, and the command."""
