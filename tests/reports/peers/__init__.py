"""Tests of reports.peers."""
