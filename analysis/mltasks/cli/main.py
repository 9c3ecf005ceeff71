"""The command `mltasks`: one module a command, and this, which runs them and says what went wrong in one line."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from mltasks.cli import warning_lines
from mltasks.cli.interrupts import Interrupts
from mltasks.cli.mask import MaskedStream
from mltasks.exceptions import ClusterError, EngineError, Error, StorageError
from mltasks.reports.registry import REPORTS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

HELP = """Report on the tasks of OpenSearch ML Commons: what failed, how long it took, on which node.

\b
Try:
  mltasks report demo
  mltasks errors demo --top 5
  mltasks durations demo --task-type TRAINING --sort p95_s

\b
SOURCE is where the tasks are:
  demo                 552 real tasks that come with mltasks
  https://host:9200    a cluster; --user NAME, password in MLTASKS_PASSWORD
  prod-eu              a cluster with a name; mltasks doctor --help shows how
  tasks.parquet        what mltasks fetch wrote
  history              a folder that mltasks sync keeps up to date
  s3://bucket/prefix   Parquet or a published store in object storage
  hits.ndjson[.gz]     saved hits
  answer.json          a saved answer of _search
MLTASKS_SOURCE stands in where none is given; every option of a command can be
set as MLTASKS_<OPTION>, such as MLTASKS_USER. mltasks only reads.
"""
WELCOME = """\
mltasks reports on the tasks of OpenSearch ML Commons: what failed, how long it
took, on which node. Try it on the 552 real tasks that come with it:

  mltasks report demo                    what needs attention
  mltasks failures demo                  how often tasks fail, and since when
  mltasks report demo -o report.html     everything, on one page

On a cluster: mltasks doctor https://host:9200 --user NAME
All commands: mltasks --help"""
EPILOG = """mltasks COMMAND --help shows the options of a command.

\b
Completion in bash (for others zsh_source or fish_source):
  eval "$(_MLTASKS_COMPLETE=bash_source mltasks)"
"""
WIDEST = 100  # letters of a line of the help, where the terminal has so many
COMPLETION = "_MLTASKS_COMPLETE"  # by which a shell asks, and whose name click has made of ours
COMMANDS = {  # name -> its module, and what it does
    "report": ("report", "What needs attention; with -o, one HTML page of every report."),
    **{report.name: ("report_command", report.question) for report in REPORTS.values()},
    "check": ("check", "Whether rules hold, for cron and CI."),
    "list": ("list_tasks", "The tasks themselves: filtered, sorted, columns chosen."),
    "get": ("get", "Single tasks by id, with all that is known of them."),
    "fetch": ("fetch", "All tasks to a file, streamed and verified."),
    "sync": ("sync", "What changed since the last time, into a local store."),
    "publish": ("publish", "A store's copy in object storage, brought up to date."),
    "verify": ("verify", "Whether a store is whole."),
    "doctor": ("doctor", "What can be reached and read of a cluster, and what is missing."),
}

GROUPS: dict[str, list[str]] = {  # the question that brings somebody here -> the commands that answer it
    "What needs attention": ["report", "highlights", "check"],
    "What fails, and why": ["failures", "errors", "models", "unfinished"],
    "How long, how much, when, and is it worse": ["durations", "workers", "timeline", "compare"],
    "The tasks themselves": ["list", "get"],
    "Keeping them": ["fetch", "sync", "publish", "verify"],
    "What can be reached": ["doctor"],
}


class Commands(click.Group):
    """Imports a command when it is called: `mltasks --help` pays for none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"mltasks.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.make_command(REPORTS[cmd_name]) if cmd_name in REPORTS else module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what a shell completes to a command, without importing any."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is called; an unknown one is answered with the nearest."""
        if args[0] == "help":  # as other tools have it
            if len(args) == 1:
                print(ctx.get_help())
                ctx.exit()
            args = [*args[1:], "--help"]
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib  # here, as all that only some calls need

            near = difflib.get_close_matches(name, COMMANDS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COMMANDS)}"
            if name == "demo" or "://" in name or os.path.exists(name):  # noqa: PTH110  # Path.exists raises OSError for a word that is longer than a file's name can be
                hint = f"the command comes first: mltasks report {name}"
            ctx.fail(f"no command {name!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click's own words on interrupts and closed pipes are not ours."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.Abort from None
        except BrokenPipeError:  # whoever reads us has seen enough
            return _forget_stdout()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        grouped = {name for names in GROUPS.values() for name in names}
        others = {"Other reports": [name for name in COMMANDS if name not in grouped]}
        for title, names in (GROUPS | others).items():
            if names:
                with formatter.section(title):
                    formatter.write_dl([(name, COMMANDS[name][1]) for name in names])


@click.command(
    "mltasks",
    cls=Commands,
    help=HELP,
    options_metavar="",
    subcommand_metavar="COMMAND [SOURCE] [OPTIONS]",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
)
@click.version_option(None, "-V", "--version", package_name="mltasks", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def group(debug: bool) -> None:
    """Hold the commands."""


def main(arguments: list[str] | None = None, interrupts: Interrupts | None = None) -> int:
    """Run the command line and return its exit code; an error is one line on stderr, without passwords."""
    arguments = sys.argv[1:] if arguments is None else arguments
    interrupts = interrupts or Interrupts()
    with contextlib.redirect_stderr(MaskedStream(sys.stderr, arguments) if sys.stderr else io.StringIO()):
        return _main(arguments, interrupts)


def _main(arguments: list[str], interrupts: Interrupts) -> int:
    debug = "--debug" in arguments or bool(os.environ.get("MLTASKS_DEBUG"))
    arguments = [argument for argument in arguments if argument != "--debug"]
    if COMPLETION in os.environ:
        from mltasks.cli import shells

        shells.install()
    try:
        with warnings.catch_warnings():
            if not debug:
                warning_lines.print_only_ours()
            code = group.main(args=arguments, prog_name="mltasks", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        return _report_error("interrupted", interrupts.exit_code, debug)
    except click.exceptions.NoArgsIsHelpError:
        print(WELCOME, file=sys.stderr)
        return 2
    except Exception as error:
        if interrupts.received:  # whatever a library made of it, such as an error of its own
            return _report_error("interrupted", interrupts.exit_code, debug)
        return _report_error(*_describe(error), debug)
    return code if isinstance(code, int) else 0


def _describe(error: Exception) -> tuple[str, int]:
    """Return what is said of an error, and the exit code."""
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        where = f" (see {context.command_path} --help)" if context else ""
        return f"{error.format_message().rstrip('.')}{where}", 2
    if isinstance(error, ClusterError) and not isinstance(error, StorageError | EngineError):
        return f"{error} (mltasks doctor looks closer)", error.exit_code
    if isinstance(error, Error):
        return str(error), error.exit_code
    text = f"a bug of mltasks: {type(error).__name__}: {error}; please report it with what --debug shows"
    return text, Error.exit_code


def _forget_stdout() -> None:
    """Throw away what is left for a stdout that takes no more, so that Python does not complain when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_error(text: str, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    print(f"mltasks: {warning_lines.one_line(text)}", file=sys.stderr)
    return code


def run() -> None:
    """Run the command line and exit."""
    gc.set_threshold(200_000)  # what is imported stays: to look through it time and again is a tenth of a short run
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # to start threads that multiply matrices takes time
    interrupts = Interrupts()
    interrupts.install()
    code = main(interrupts=interrupts)
    gc.freeze()  # nor is there a reason to look through all of it when the process ends
    sys.exit(code)
