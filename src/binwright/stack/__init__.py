"""Joins the layers: reads sources of either kind, places each by its own layer, merges what they say."""
