"""Conformance vectors as JSON."""
