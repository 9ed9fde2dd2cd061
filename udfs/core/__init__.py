"""The state machine of one item: pure, without clock, I/O, logging or framework."""

from udfs import compiled

__path__ = compiled.path("core", __path__)
