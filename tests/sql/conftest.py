"""The same store as the API's tests use."""

from tests.api.conftest import settings, store, template

__all__ = ["settings", "store", "template"]
