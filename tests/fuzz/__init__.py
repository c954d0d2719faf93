"""Damaged input at every door."""
