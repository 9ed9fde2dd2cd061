"""Compiled modules are used while they are what the sources say, and never else.

On a small tree with the real `udfs/compiled.py`. What stands where the compiler would have put it is Python as well,
so that nothing need be compiled here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = "import sys, sysconfig; from udfs import compiled; compiled.MODULES = {'core': ('one',)}; "
WHICH = "from udfs.core import one; print(one.FROM)"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """`udfs.core` with the modules `one`, which is compiled from what its source says now, and `two`, which isn't."""
    for name in ("udfs/__init__.py", "udfs/compiled.py", "udfs/core/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("one", "two"):
        (tmp_path / f"udfs/core/{name}.py").write_text("FROM = 'source'\n")
    folder = Path(python(tmp_path, "print(compiled._made_of_these_sources())")) / "udfs" / "core"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text("FROM = 'compiler'\n")
    return tmp_path


def python(tree: Path, code: str, **environment: str) -> str:
    """What the code prints in a Python of its own, which may be one with compiled modules."""
    return subprocess.run(
        [sys.executable, "-c", SMALL + code],
        cwd=tree,
        env=os.environ | {"DAYMARK_PURE": "0"} | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_modules_made_of_exactly_these_sources_are_used(tree: Path) -> None:
    assert python(tree, WHICH) == "compiler"


def test_a_changed_source_is_read_until_it_is_compiled_or_as_it_was(tree: Path) -> None:
    source = tree / "udfs/core/one.py"
    before = source.read_text()
    source.write_text("FROM = 'changed source'\n")
    assert python(tree, WHICH) == "changed source"
    source.write_text(before)
    assert python(tree, WHICH) == "compiler"


def test_another_version_of_python_reads_the_sources(tree: Path) -> None:
    assert python(tree, "sys.implementation.cache_tag = 'cpython-399'; " + WHICH) == "source"


def test_whoever_asks_for_plain_python_gets_it(tree: Path) -> None:
    assert python(tree, WHICH, DAYMARK_PURE="1") == "source"


def test_modules_that_are_not_compiled_stand_beside_those_that_are(tree: Path) -> None:
    assert python(tree, "from udfs.core import one, two; print(one.FROM, two.FROM)") == "compiler source"


def test_what_was_not_compiled_runs_from_the_sources(tree: Path) -> None:
    shutil.rmtree(tree / "build")
    assert python(tree, WHICH) == "source"


def test_in_an_archive_the_sources_are_read(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    archive = shutil.make_archive(str(elsewhere / "daymark"), "zip", tree)
    assert python(elsewhere, WHICH, PYTHONPATH=archive) == "source"


def test_without_a_c_compiler_the_build_says_so_and_succeeds(tree: Path) -> None:
    said = python(tree, "sys.exit(compiled.main())", CC="/nowhere/cc")
    assert said.startswith("no C compiler: Daymark runs as plain Python")
    assert python(tree, WHICH) == "compiler"  # what there was is still there


def test_without_the_headers_of_python_the_build_says_so_and_succeeds(tree: Path) -> None:
    nowhere = "sysconfig.get_path = lambda name: '/nowhere'; "
    assert python(tree, nowhere + "sys.exit(compiled.main())", CC=sys.executable).startswith("no headers of Python")


def test_modules_to_be_compiled_are_named_once() -> None:
    from udfs import compiled

    assert all(sorted({*modules}) == [*modules] for modules in compiled.MODULES.values())


def test_every_module_that_is_to_be_compiled_is_there() -> None:
    from udfs import compiled

    assert [name for name in compiled._sources() if not (ROOT / name).is_file()] == []
