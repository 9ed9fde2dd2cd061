"""What the code imports is what pyproject.toml asks for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("api", "jobs", "udfs")


def test_every_package_that_the_code_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(line for name in extras.keys() - {"dev"} for line in extras[name])]
    declared = {re.split(r"[^\w-]", line)[0].lower() for line in asked}
    imported: dict[str, Path] = {}
    for file in (path for room in OURS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0]: file for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported[node.module.split(".")[0]] = file
    owners = packages_distributions()
    foreign = imported.keys() - set(sys.stdlib_module_names) - set(OURS)
    assert "fastapi" in foreign
    names = {module: {owner.lower().replace("_", "-") for owner in owners.get(module, [module])} for module in foreign}
    assert {module: imported[module] for module in foreign if not names[module] & declared} == {}
