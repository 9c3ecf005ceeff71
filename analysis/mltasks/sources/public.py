"""A function as users call it: every keyword named and documented, a wrong one answered with the near one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from mltasks.exceptions import ClusterError, UsageError
from mltasks.reports import declaration
from mltasks.reports.declaration import CHANGES_RATE
from mltasks.reports.registry import REPORTS
from mltasks.sources import docstrings, signatures
from mltasks.sources.report_source import open_source_first
from mltasks.tasks import keywords

NOT_REFUSED: Mapping[str, str] = {}


def publish(name: str, function: Callable[..., Any], figure_of: str | None = None) -> Callable[..., Any]:
    """Return the function that the package offers under a name; a report, or a figure of one, also takes a SOURCE.

    What it raises about a cluster says all there is to say, and has no chain of the errors below.
    """
    report = REPORTS.get(figure_of or name)
    refused = report.refused if report else CHANGES_RATE if name == "report" else NOT_REFUSED
    opened = function
    if report or name == "report":
        own = [option.name for option in report.options] if report else []
        opened = open_source_first(function, own, looks_back=report is None or report.looks_back)
    signature = signatures.name_filters(opened)

    @functools.wraps(function)
    def public(*arguments: Any, **options: Any) -> Any:
        for word, why in refused.items():
            if word not in signature.parameters and options.pop(word, None) is not None:
                raise UsageError(declaration.refusal(figure_of or name, word, why))
        keywords.reject_unknown(name, options, [*signature.parameters])
        try:
            return opened(*arguments, **options)
        except ClusterError as error:
            raise error from None

    vars(public)["__signature__"] = signature
    public.__module__ = "mltasks"  # under which it is found again, for pickle and for help
    public.__doc__ = docstrings.complete(function.__doc__ or "", signature, report, is_figure=figure_of is not None)
    return public
