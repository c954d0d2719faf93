"""The engine beside the reference: whatever the order of calls, both answer the same."""
