"""The signature of a function that takes filters: each of them by its name, so that an editor completes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

from mltasks.tasks import filter_declarations

Parameter = inspect.Parameter


def name_filters(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function, its `**options` of filters written out."""
    signature = inspect.signature(function)
    parameters: list[Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            parameters += [_filter_parameter(name) for name in filters_of(function)]
        else:
            parameters.append(parameter)
    order = {"access": 1, "query": 2}  # last, since most calls are for files
    keywords = [each for each in parameters if each.kind is Parameter.KEYWORD_ONLY]
    others = [each for each in parameters if each.kind is not Parameter.KEYWORD_ONLY]
    return signature.replace(parameters=[*others, *sorted(keywords, key=lambda each: order.get(each.name, 0))])


def filters_of(function: Callable[..., Any]) -> list[str]:
    """Return the names of the filters that a function takes as `**options: Unpack[...]`, in the order of the table."""
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is Parameter.VAR_KEYWORD:
            (options,) = get_args(get_type_hints(inspect.unwrap(function))[name])
            taken = options.__optional_keys__
            return [word for word in (*filter_declarations.HELP, "tz") if word in taken]
    return []


def _filter_parameter(name: str) -> Parameter:
    if name == "tz":
        return Parameter(name, Parameter.KEYWORD_ONLY, default="UTC", annotation="str")
    annotation = "Words" if name in filter_declarations.WORDS else "Moment"
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
