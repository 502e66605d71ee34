"""The benchmark: every figure that the documentation gives has its command here."""
