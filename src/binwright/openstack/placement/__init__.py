"""Placement's own model: inventories, provider trees, names, the candidate query and the API's answer."""
