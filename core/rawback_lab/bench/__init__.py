"""Benchmarks: commands that measure, print a table, and keep the figures as JSON."""
