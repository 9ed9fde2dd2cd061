from udfs import compiled

__path__ = compiled.path("operators", __path__)
