"""What the API says of itself: FastAPI's description, with an example of everything and every error as it is."""
