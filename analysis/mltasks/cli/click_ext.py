"""Commands whose help is in sections, and whose options the environment can set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import click
from click.shell_completion import CompletionItem

from mltasks.cli import completion
from mltasks.exceptions import UsageError
from mltasks.tasks import keywords

Function = Callable[..., Any]
Decorator = Callable[[Function], Function]
OTHER = "Options"
CLUSTERS = "SOURCE is a cluster: its URL, or its configured name; mltasks doctor --help shows how."
SOURCE = "SOURCE is where the tasks are: demo, a URL, a file, a folder; mltasks --help lists them."


class WholeNumber(click.IntRange):
    """A whole number, and called so in errors."""

    name = "whole number"


class Number(click.FloatRange):
    """A number, and called so in errors."""

    name = "number"


class Option(click.Option):
    """An option that belongs to a section of the help; MLTASKS_<NAME> can set it too.

    `aliases`: other names, which help does not show; `flags`: names of flags, each with the value that it stands for.
    """

    def __init__(
        self,
        *args: Any,
        section: str = OTHER,
        aliases: Sequence[str] = (),
        flags: Mapping[str, str] = MappingProxyType({}),
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings)
        self.section = section
        self.aliases = aliases
        self.flags = flags
        long = max(self.opts, key=len)
        self.envvar = f"MLTASKS_{long.lstrip('-').replace('-', '_').upper()}"

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Have the parser take the aliases and flags, too."""
        names, self.opts = self.opts, [*self.opts, *self.aliases]
        super().add_to_parser(parser, ctx)
        self.opts = names
        for flag, value in self.flags.items():
            parser.add_option(obj=self, opts=[flag], dest=self.name, action="store_const", const=value)

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Return what the environment says; for an option that can be repeated it is one value, blanks and all."""
        value = self.resolve_envvar_value(ctx)
        if value is not None and self.multiple:
            return (value,)
        return super().value_from_envvar(ctx)

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Read the value; where the environment has set one that cannot be, the error names its variable."""
        try:
            return super().handle_parse_result(ctx, opts, args)
        except (click.BadParameter, UsageError) as error:
            if self.name in opts or self.resolve_envvar_value(ctx) is None:
                raise
            said = error.message if isinstance(error, click.BadParameter) else str(error)
            text = f"{said.rstrip('.')}; it is set by {self.envvar} in the environment"
            if isinstance(error, UsageError):
                raise UsageError(text) from None
            raise click.BadParameter(text, error.ctx, error.param, error.param_hint) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what a shell completes a value to."""
        return super().shell_complete(ctx, incomplete) or completion.complete_option(ctx, self, incomplete)

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Return what help says in brackets; a range such as [x>0] goes without saying."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


class Command(click.Command):
    """A command with examples, whose options are listed by section, in the order in which they were declared."""

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        columns: Sequence[tuple[str, str]] = (),
        source: str = SOURCE,
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings)
        self.source = source
        self.examples = examples
        self.columns = columns

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; an option of another tool is answered with ours."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            names = [name for each in self.get_params(ctx) for name in each.opts if name.startswith("--")]
            near = keywords.suggest(error.option_name, [name.lstrip("-").replace("-", "_") for name in names])
            if near is None:
                hidden = {name for each in self.get_params(ctx) if getattr(each, "hidden", False) for name in each.opts}
                possible = [name for name in error.possibilities or () if name not in hidden]
                raise click.NoSuchOption(error.option_name, possibilities=possible, ctx=error.ctx) from None
            text = f"No such option {error.option_name!r}. Did you mean '--{near.replace('_', '-')}'?"
            raise click.NoSuchOption(error.option_name, text, ctx=error.ctx) from None
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # so that the line says whose help to see
            raise

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, then the examples."""
        super().format_help_text(ctx, formatter)
        with formatter.section("Try"):
            for example in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        if any("SOURCE" in (parameter.metavar or "") for parameter in self.params):
            formatter.write_paragraph()
            formatter.write_text(self.source)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, those of no section last, and what the columns of the result hold."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                sections.setdefault(getattr(parameter, "section", OTHER), []).append(record)
        last = sections.pop(OTHER, [])
        for title, rows in [*sections.items(), (OTHER, last)]:
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
