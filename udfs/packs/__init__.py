from udfs import compiled

__path__ = compiled.path("packs", __path__)
