"""Bytes and tables: how files come in and go out. What their content means is the layers' business."""
