"""Plots as inline SVG: no script, no file, colours from the page's style sheet.

Knows axes, marks and escaping. Does not know scores or runs. Pure. Called by report_page.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, isnan, log10

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 14, 40


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a plot."""

    name: str
    points: Sequence[tuple[float, float]]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    """An interval around each point, if there is one."""


def interval(value: float, low: float, high: float, top: float, title: str) -> str:
    """A mean with its interval on a track from 0 to `top`."""
    if isnan(low):
        low = high = value
    scale = 170 / top if top > 0 else 0.0
    x, a, b = (4 + max(0.0, min(v, top)) * scale for v in (value, low, high))
    return (
        f'<svg class="spark" viewBox="0 0 178 18" role="img"><title>{escape(title)}</title>'
        '<line class="track" x1="4" x2="174" y1="9" y2="9"/>'
        f'<line class="range" x1="{a:.1f}" x2="{max(b, a + 0.5):.1f}" y1="9" y2="9"/>'
        f'<circle class="dot" cx="{x:.1f}" cy="9" r="4"/></svg>'
    )


def gap(value: float, low: float, high: float, kind: str, title: str) -> str:
    """A difference with its interval around 0; `kind` (better, worse, same) colours it."""
    if isnan(low):
        low = high = value
    reach = max(abs(low), abs(high), abs(value), 1e-9)
    x, a, b = (89 + 82 * v / reach for v in (value, low, high))
    return (
        f'<svg class="spark {kind}" viewBox="0 0 178 18" role="img"><title>{escape(title)}</title>'
        '<line class="track" x1="4" x2="174" y1="9" y2="9"/>'
        '<line class="zero" x1="89" x2="89" y1="1" y2="17"/>'
        f'<line class="range" x1="{a:.1f}" x2="{max(b, a + 0.5):.1f}" y1="9" y2="9"/>'
        f'<circle class="dot" cx="{x:.1f}" cy="9" r="4"/></svg>'
    )


def lines(series: Sequence[Series], x_label: str, y_label: str) -> str:
    """Shares (0 to 1) over whole numbers, with bands."""
    xs = [x for one in series for x, _ in one.points]
    axis = _Axis(min(xs), max(max(xs), min(xs) + 1))
    ticks = range(int(axis.low), int(axis.high) + 1, max(1, int(axis.high - axis.low) // 8))
    parts = [*_frame(x_label, y_label), *(_x_tick(axis.x(t), str(t)) for t in ticks)]
    parts += _shares()
    for number, one in enumerate(series):
        if one.low:
            upper = [(axis.x(x), _y(h)) for (x, _), h in zip(one.points, one.high, strict=True)]
            lower = [(axis.x(x), _y(v)) for (x, _), v in zip(one.points, one.low, strict=True)]
            outline = _path([*upper, *reversed(lower)])
            parts.append(f'<path class="band s{number}" d="{outline}Z"/>')
        drawn = [(axis.x(x), _y(y)) for x, y in one.points]
        parts.append(f'<path class="line s{number}" d="{_path(drawn)}"/>')
        parts += [
            f'<circle class="mark s{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in drawn
        ]
    return _svg(parts, series)


def cumulative(series: Sequence[Series], x_label: str, y_label: str) -> str:
    """Shares at or below a value, over a logarithmic axis; points are (value, share)."""
    xs = [max(x, 1e-3) for one in series for x, _ in one.points]
    low, high = floor(log10(min(xs))), log10(max(xs))
    axis = _Axis(low, max(high, low + 1))
    decades = range(low, int(axis.high) + 1)
    parts = [*_frame(x_label, y_label), *(_x_tick(axis.x(d), _power(d)) for d in decades)]
    parts += _shares()
    for number, one in enumerate(series):
        steps: list[tuple[float, float]] = []
        share = 0.0
        for x, y in one.points:
            place = axis.x(log10(max(x, 1e-3)))
            steps += [(place, _y(share)), (place, _y(y))]
            share = y
        parts.append(f'<path class="line s{number}" d="{_path(steps)}"/>')
    return _svg(parts, series)


def scatter(points: Sequence[tuple[float, float]], x_label: str, y_label: str) -> str:
    """Grades from 1 to 5 against grades from 1 to 5; equal points become a larger one."""
    axis = _Axis(0.5, 5.5)
    parts = list(_frame(x_label, y_label))
    for grade in range(1, 6):
        parts.append(_x_tick(axis.x(grade), str(grade)))
        parts.append(_y_tick(_y((grade - 0.5) / 5), str(grade)))
    ends = [(axis.x(v), _y((v - 0.5) / 5)) for v in (0.5, 5.5)]
    parts.append(f'<path class="diagonal" d="{_path(ends)}"/>')
    counts: dict[tuple[float, float], int] = {}
    for point in points:
        counts[point] = counts.get(point, 0) + 1
    for (x, y), n in sorted(counts.items()):
        radius = min(16.0, 3 + 1.6 * n**0.5)
        place = f'cx="{axis.x(x):.1f}" cy="{_y((y - 0.5) / 5):.1f}" r="{radius:.1f}"'
        parts.append(f'<circle class="point" {place}><title>{n} dialogues</title></circle>')
    return _svg(parts, ())


# --- axes -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float

    def x(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _frame(x_label: str, y_label: str) -> Iterator[str]:
    base, middle = HEIGHT - BOTTOM, (LEFT + WIDTH - RIGHT) / 2
    yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>'
    yield f'<text class="label" x="{middle}" y="{HEIGHT - 6}">{escape(x_label)}</text>'
    across = f'transform="translate(12 {(TOP + base) / 2}) rotate(-90)"'
    yield f'<text class="label" {across}>{escape(y_label)}</text>'


def _shares() -> list[str]:
    parts = []
    for percent in (0, 25, 50, 75, 100):
        y = _y(percent / 100)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(_y_tick(y, f"{percent}%"))
    return parts


def _x_tick(x: float, text: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}">{escape(text)}</text>'


def _y_tick(y: float, text: str) -> str:
    return f'<text class="tick end" x="{LEFT - 6}" y="{y + 3.5:.1f}">{escape(text)}</text>'


def _power(decade: int) -> str:
    return f"{10**decade:,}" if decade >= 0 else f"{10.0**decade:g}"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _svg(parts: Sequence[str], series: Sequence[Series]) -> str:
    names = " · ".join(one.name for one in series)
    head = f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    body = f"{head}<title>{escape(names)}</title>{''.join(parts)}</svg>"
    keys = "".join(
        f'<span class="key s{number}">{escape(one.name)}</span>'
        for number, one in enumerate(series)
    )
    return body + (f'<p class="keys">{keys}</p>' if len(series) > 1 else "")
