"""Simulation, training and benchmarks of rawback. Not part of the installed package."""
