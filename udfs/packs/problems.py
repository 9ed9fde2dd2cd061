"""What is wrong with a pack, said so that its author can put it right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["error", "warning"]
ERROR: Level = "error"
WARNING: Level = "warning"

Loc = tuple[str | int, ...]
"""Where in a document something stands: keys and list indexes from its root."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: the file, its line (0: the document came from no file), the YAML path, and what would be right."""

    file: str
    line: int
    path: str
    message: str
    level: Level = ERROR

    def __post_init__(self) -> None:
        """What is quoted of a document can always be written down, also where it holds half a character."""
        for name in ("path", "message"):
            text: str = getattr(self, name)
            if not text.isascii():
                object.__setattr__(self, name, text.encode(errors="replace").decode())

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        path = f"{self.path}: " if self.path else ""
        return f"{where}: {self.level}: {path}{self.message}"

    def as_dict(self) -> dict[str, str | int]:
        """For `--json` and the API."""
        return asdict(self)


class PackError(ValueError):
    """A pack that can't be used. `problems` holds everything that was found, warnings included."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[PackError], tuple[list[Problem]]]:
        return PackError, (self.problems,)


def raise_errors(problems: Iterable[Problem]) -> None:
    """Raises PackError if one of the problems is an error."""
    found = list(problems)
    if any(problem.level == ERROR for problem in found):
        raise PackError(found)


def show_path(loc: Loc) -> str:
    """`deadlines[0].expect`, with brackets and quotes around keys that hold more than letters, digits, `_` and `-`."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "a").replace("-", "a").isalnum():
            text += f".{part}" if text else part
        else:
            text += f"['{part}']"
    return text


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of a message on an unknown word: the nearest known one, or the list of them."""
    names = list(known)
    near = difflib.get_close_matches(word.lower(), [name.lower() for name in names], n=1, cutoff=0.6)
    if near:
        best = next(name for name in names if name.lower() == near[0])
        return f"; did you mean `{best}`?"
    if not names:
        return ""
    shown = ", ".join(f"`{name}`" for name in names[:12])
    return f"; there is {shown}{' and more' if len(names) > 12 else ''}"
