"""YAML files, read into plain data with the line of every part.

Two differences to PyYAML's usual loading: words mean what YAML 1.2 says (`on` is a text, not true; `18:00` is a text,
not a number; dates stay texts), so that what a pack says is JSON as it stands; and a key given twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from udfs.packs.problems import ERROR, Level, Loc, Problem, show_path

MAX_PARTS = 100_000
"""A limit for what aliases of aliases can blow up to."""


@dataclass(slots=True)
class Document:
    """One YAML document: plain data, and the line at which each part begins (none if it came from no file)."""

    file: str
    data: Any
    lines: dict[Loc, int] = field(default_factory=dict)

    def line(self, loc: Loc) -> int:
        """The line of the part at `loc`, or of the nearest part around it that is there; 0 where no lines are known."""
        for length in range(len(loc), -1, -1):
            if loc[:length] in self.lines:
                return self.lines[loc[:length]]
        return 0

    def problem(self, loc: Loc, message: str, level: Level = ERROR) -> Problem:
        """A problem with the part at `loc`."""
        return Problem(self.file, self.line(loc), show_path(loc), message, level)


def read_documents(path: Path) -> tuple[list[Document], list[Problem]]:
    """The documents of a file (empty ones left out), and what is wrong with its YAML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        return [], [Problem(str(path), 0, "", f"can't be read: {fault.strerror}; name a YAML file that exists")]
    except UnicodeDecodeError as fault:
        return [], [Problem(str(path), 0, "", f"is not UTF-8 at byte {fault.start}; save it as UTF-8")]
    return documents_in(text, str(path))


def documents_in(text: str, file: str) -> tuple[list[Document], list[Problem]]:
    """The documents of a YAML text (empty ones left out), and what is wrong with it; problems call it `file`."""
    documents: list[Document] = []
    problems: list[Problem] = []
    try:
        for node in _roots(text):
            document = Document(file, None)
            document.data = _Builder(document, problems).build(node, ())
            documents.append(document)
    except yaml.MarkedYAMLError as fault:
        problems.append(_not_yaml(file, fault))
    except yaml.YAMLError as fault:
        problems.append(Problem(file, 0, "", f"is not YAML: {fault}"))
    except RecursionError:
        problems.append(Problem(file, 0, "", "is nested too deeply; a pack needs no more than five levels"))
    return [document for document in documents if document.data is not None], problems


def _roots(text: str) -> Iterator[yaml.Node]:
    """The root node of each document of the text."""
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                yield node
    finally:
        loader.dispose()


def _not_yaml(file: str, fault: yaml.MarkedYAMLError) -> Problem:
    mark = fault.problem_mark or fault.context_mark
    line = mark.line + 1 if mark else 0
    reason = " ".join(part for part in (fault.context, fault.problem) if part)
    return Problem(file, line, "", f"is not YAML: {reason}; mind indentation, quotes and colons here")


class _Loader(yaml.SafeLoader):
    """PyYAML's scanner and composer, with the implicit types of YAML 1.2's JSON-like core."""

    yaml_implicit_resolvers: dict[str, Any] = {}


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


class _Builder:
    """Turns composed nodes into plain data, notes the lines, and reports what JSON could not say."""

    def __init__(self, document: Document, problems: list[Problem]) -> None:
        self.document = document
        self.problems = problems
        self.parts = 0
        self.above: set[int] = set()

    def build(self, node: yaml.Node, loc: Loc) -> Any:
        self.document.lines.setdefault(loc, node.start_mark.line + 1)
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise yaml.YAMLError(f"it has more than {MAX_PARTS:,} parts; split the pack, or use fewer aliases")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, loc)
        if id(node) in self.above:
            return self.fault(loc, "an alias refers to what it stands in; write the part out")
        self.above.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*loc, index)) for index, item in enumerate(node.value)]
            return self.mapping(node, loc)
        finally:
            self.above.discard(id(node))

    def mapping(self, node: yaml.Node, loc: Loc) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                line = key_node.start_mark.line + 1
                text = "a key must be a word, not a list or a mapping"
                self.problems.append(Problem(self.document.file, line, show_path(loc), text))
                continue
            key = key_node.value
            here = (*loc, key)
            line = key_node.start_mark.line + 1
            if key in data:
                first = self.document.lines[here]
                text = f"`{key}` is given twice (first on line {first}); remove one"
                self.problems.append(Problem(self.document.file, line, show_path(here), text))
                continue
            self.document.lines[here] = line
            data[key] = self.build(value_node, here)
        return data

    def scalar(self, node: yaml.ScalarNode, loc: Loc) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        text: str = node.value
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            return self.fault(loc, "holds half a character (a lone surrogate); write the character itself")
        try:
            match kind:
                case "str":
                    return text
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return int(text)
                case "float":
                    return float(text)
        except ValueError:
            return self.fault(loc, f"`{text}` is not what its tag `{node.tag}` says; leave the tag out")
        return self.fault(loc, f"the tag `{node.tag}` is not known here; leave it out")

    def fault(self, loc: Loc, message: str) -> None:
        self.problems.append(self.document.problem(loc, message))
