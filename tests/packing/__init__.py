"""Bin packing: results beside brute force, certificates beside an oracle, refusals, formats."""
