"""Winnow: documents in, typed records out."""
