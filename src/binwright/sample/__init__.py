"""The seeded sample behind ``binwright example club-sandwich``: plans a stack of layers, then writes its dumps.

Pure standard library and data; imports nothing of binwright but its errors, so that it cannot flatter the readers.
"""

from binwright.sample.write import write_club_sandwich

__all__ = ["write_club_sandwich"]
