"""The public list of nodes and pods of a GPU cluster ("openb", Alibaba 2023): read it, place it."""
