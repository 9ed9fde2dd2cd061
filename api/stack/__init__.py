"""Starts, watches and stops the real parts of Daymark on one machine."""
