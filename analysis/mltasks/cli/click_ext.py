"""Commands whose help is in sections, and whose options the environment can set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

Function = Callable[..., Any]
Decorator = Callable[[Function], Function]
OTHER = "Options"


class Option(click.Option):
    """An option that belongs to a section of the help; MLTASKS_<NAME> can set it too."""

    def __init__(self, *args: Any, section: str = OTHER, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.section = section
        long = max(self.opts, key=len)
        self.envvar = f"MLTASKS_{long.lstrip('-').replace('-', '_').upper()}"

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Return what the environment says; for an option that can be repeated it is one value, blanks and all."""
        found = self.resolve_envvar_value(ctx)
        if found is not None and self.multiple:
            return (found,)
        return super().value_from_envvar(ctx)

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Return what help says in brackets; a range such as [x>0] goes without saying."""
        found = super().get_help_extra(ctx)
        found.pop("range", None)
        return found


class Command(click.Command):
    """A command with examples, whose options are listed by section, in the order in which they were declared."""

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        columns: Sequence[tuple[str, str]] = (),
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings)
        self.examples = examples
        self.columns = columns

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, then the examples."""
        super().format_help_text(ctx, formatter)
        with formatter.section("Try"):
            for example in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, those of no section last, and what the columns of the result hold."""
        found: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                found.setdefault(getattr(parameter, "section", OTHER), []).append(record)
        last = found.pop(OTHER, [])
        for title, rows in [*found.items(), (OTHER, last)]:
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=24)
        if self.columns:
            with formatter.section("Columns"):
                formatter.write_dl(self.columns, col_max=24)


def option(*names: str, **settings: Any) -> Decorator:
    """Return an option that MLTASKS_<NAME> can set too."""
    return click.option(*names, cls=Option, **settings)


def compose(decorators: Sequence[Decorator]) -> Decorator:
    """Return decorators as one; help shows them in this order."""

    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
