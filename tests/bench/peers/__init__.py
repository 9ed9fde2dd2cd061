"""The same job on the same log, by others. Each is a program (PEER.py LOG RESULTS) that prints its figures."""
