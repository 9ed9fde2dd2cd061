"""Alerts: the life of a finding with people. Pure: no clock, no I/O; time is an argument (epoch ms, UTC)."""
