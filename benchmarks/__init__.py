"""Measurements: one command each, which prints one table."""
