"""Inputs of any kind → one normalised ``Document``."""
