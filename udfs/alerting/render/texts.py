"""Jinja2, sandboxed: a template can show a notification and do nothing else. HTML is escaped, other text is not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import PackageLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 200_000


class RenderError(ValueError):
    """A template that can't be rendered; the text names it and says why."""


def render_text(name: str, names: Mapping[str, Any], override: str | None = None) -> str:
    """The shipped template `name` (such as `title.txt`), or `override` in its place. Raises RenderError."""
    escapes = name.endswith(".html")
    try:
        environment = _environment(escapes)
        template = environment.get_template(name) if override is None else _compiled(override, escapes)
        text = template.render(names)
    except (
        TemplateError,
        TypeError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
        RecursionError,
    ) as error:
        where = f"the template for {name}" + (f", line {error.lineno}" if hasattr(error, "lineno") else "")
        raise RenderError(f"{where} can't be rendered: {error}") from error
    if len(text) > LONGEST:
        raise RenderError(f"the template for {name} gave {len(text)} characters; the most is {LONGEST}")
    return text


@lru_cache(maxsize=2)
def _environment(escapes: bool) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=PackageLoader("udfs.alerting.render"),
        autoescape=escapes,
        undefined=StrictUndefined,  # a misspelt name is an error at preview, not a hole in a page at night
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=256)
def _compiled(source: str, escapes: bool) -> Any:
    return _environment(escapes).from_string(source)
