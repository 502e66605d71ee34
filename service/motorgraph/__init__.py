"""motorgraph: an open knowledge graph of the motor industry and the service that keeps it."""

__version__ = "0.1.0"
