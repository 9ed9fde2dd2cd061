"""Badges: a label and a word on a coloured ground, as SVG without script, style or font of its own."""

from __future__ import annotations

from html import escape

COLOURS = {"operational": "#1a7f37", "degraded": "#945300", "outage": "#b42318", "unknown": "#57606a"}
"""White text on each of them has a contrast of 4.5 at least."""

NEUTRAL = "#1f5fbf"
MOST = 60
WIDE = 7
PAD = 8


def badge(label: str, word: str, colour: str) -> str:
    """The SVG of a badge, 20 px high."""
    label, word = label[:MOST], word[:MOST]
    left, right = len(label) * WIDE + 2 * PAD, len(word) * WIDE + 2 * PAD
    said = escape(f"{label}: {word}")
    text = 'y="14" text-anchor="middle" fill="#fff" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{said}">'
        f'<title>{said}</title><rect width="{left}" height="20" fill="#3a424d"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        f'<text x="{left / 2:g}" {text} textLength="{left - 2 * PAD}">{escape(label)}</text>'
        f'<text x="{left + right / 2:g}" {text} textLength="{right - 2 * PAD}">{escape(word)}</text></svg>'
    )
