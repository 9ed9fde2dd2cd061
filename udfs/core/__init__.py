"""The state machine of one item: pure, without clock, I/O, logging or framework."""
