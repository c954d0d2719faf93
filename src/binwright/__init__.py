"""binwright: a placement and bin-packing engine for data centres. The public names, nothing else."""
