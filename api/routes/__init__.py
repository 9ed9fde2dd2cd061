"""HTTP: each module holds the routes of one subject."""
