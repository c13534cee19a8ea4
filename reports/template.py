"""The templates' environment: everything that a template may call."""

from __future__ import annotations

from math import isnan

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports import numbers
from reports.below_one import NO_UNIT, no_unit
from reports.labels import colour, settings
from reports.part import Part

FILTERS = ("sig", "milliseconds", "seconds", "size", "whole")


def environment() -> Environment:
    """Escapes every text, and refuses a name that nobody gave."""
    found = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {name: getattr(numbers, name) for name in FILTERS}
    found.globals |= {
        "bounds": numbers.bounds,
        "interval": numbers.interval,
        "isnan": isnan,
        "colour": colour,
        "settings": settings,
        "DASH": numbers.DASH,
        "no_unit": no_unit,
        "NO_UNIT": NO_UNIT,
    }
    return found


def render(part: Part) -> str:
    """One part as it stands in the page."""
    return environment().get_template("part.html.j2").render(part=part, content=part.content)
