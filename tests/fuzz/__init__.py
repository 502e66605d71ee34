"""Fuzzing, guided by what code is reached, of what reads the bytes of strangers by hand."""
