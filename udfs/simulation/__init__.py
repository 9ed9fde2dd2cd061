from udfs import compiled

__path__ = compiled.path("simulation", __path__)
