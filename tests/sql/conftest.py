"""The same store as the API's tests use."""

from tests.api.conftest import settings, store

__all__ = ["settings", "store"]
