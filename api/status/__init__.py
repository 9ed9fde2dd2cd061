"""The public status page: what may be said of which workflows, how they stand, and how they stood."""
