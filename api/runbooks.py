"""Runbooks: Markdown files in the packs, rendered, with nothing left in them that a browser would run."""

from __future__ import annotations

from pathlib import Path

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

MOST_BYTES = 200_000
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def rendered(text: str) -> Markup:
    """Markdown as HTML: headings, lists, tables, code, links with a harmless scheme. No images, no attributes."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"  # the page has the headings above
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    tags = {"h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "hr", "br", "a"}
    tables = {"table", "thead", "tbody", "tr", "th", "td"}
    schemes = {"https", "http", "mailto"}
    return Markup(nh3.clean(html, tags=tags | tables, attributes={"a": {"href"}}, url_schemes=schemes))  # noqa: S704


def runbook(packs: list[Path], path: str) -> Markup | None:
    """The runbook at a path that a finding names, out of the first pack that has it; None where none has."""
    for pack in packs:
        folder = (pack if pack.is_dir() else pack.parent).resolve()
        try:
            file = (folder / path).resolve()
            if path and file.is_relative_to(folder) and file.suffix == ".md" and file.is_file():
                return rendered(file.read_bytes()[:MOST_BYTES].decode(errors="replace"))
        except (OSError, ValueError):  # too long for a path, or with a null in it
            continue
    return None
