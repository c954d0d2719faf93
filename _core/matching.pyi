# Declares C functions only.
