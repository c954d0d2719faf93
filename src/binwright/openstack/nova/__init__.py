"""Nova's own model: host states and weighers."""
