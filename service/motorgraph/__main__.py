"""Lets `python -m motorgraph` stand for the command `motorgraph`."""

from motorgraph.cli import main

main()
