"""Shares in per cent, as sentences and cells say them."""

from __future__ import annotations


def percent(value: float) -> str:
    """Return a share in per cent; one that is neither none nor all is never rounded to that."""
    if value in (0, 1):
        return f"{value:.0%}"
    if value < 0.001:
        return "<0.1%"
    return ">99.9%" if value > 0.999 else f"{value:.1%}"


def percent_points(change: float) -> str:
    """Return a change between two shares in points of per cent; one that is no zero never reads so."""
    points = 100 * change
    return f"{points:+.1f}" if points == 0 or abs(points) >= 0.1 else f"{points:+.1g}"
