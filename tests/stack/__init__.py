"""What joins the layers: sources, names, the merged result."""
