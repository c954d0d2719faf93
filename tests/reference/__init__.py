"""The slow truth: plain Python readings of the rules. Nothing here imports binwright; tests/house checks it."""
