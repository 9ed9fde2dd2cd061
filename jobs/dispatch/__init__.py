"""Sending notifications: what is sent next is decided in `plan` (pure); the rest reads, asks and writes."""
