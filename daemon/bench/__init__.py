"""Measurements behind every figure we claim, as ratios taken alternately in one run."""
