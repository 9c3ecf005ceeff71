"""The command `mltasks`: one module a command, and this, which runs them and says what went wrong in one line."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
import warnings
from importlib import import_module
from typing import Any

import click

from mltasks.errors import Error

COMMANDS = ("report", "durations", "workers", "failures", "list", "get", "fetch")
HELP = """Report on the tasks of OpenSearch ML Commons: what failed, how long it took, on which node.

\b
SOURCE is where the tasks are:
  https://host:9200         a cluster (user by --user, password by MLTASKS_PASSWORD)
  tasks.parquet             what `mltasks fetch` wrote
  hits.ndjson[.gz] a.json   saved hits, a saved answer of _search
  demo                      552 real tasks that come with mltasks
MLTASKS_SOURCE stands in where none is given; every option can be set as MLTASKS_<OPTION>.

\b
Try:
  mltasks report demo -o report.html
  mltasks failures demo --by function_name
  mltasks durations demo --task-type TRAINING --sort p95_s
"""


class Commands(click.Group):
    """Imports a command when it is called: `mltasks --help` pays for none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"mltasks.cli.{cmd_name.replace('list', 'listing')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES[name]) for name in COMMANDS])


SUMMARIES = {
    "report": "Every report on one HTML page, a summary in the terminal.",
    "durations": "How long tasks take: median and percentiles.",
    "workers": "Tasks, failures and load by worker node.",
    "failures": "How often tasks fail, and since when.",
    "list": "The tasks themselves.",
    "get": "Single tasks by id.",
    "fetch": "All tasks to a file, streamed and verified.",
}


@click.command("mltasks", cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mltasks")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def group(debug: bool) -> None:
    """Hold the commands."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; an error is one line on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        with warnings.catch_warnings():
            if not debug:
                warnings.simplefilter("ignore")
                _show_our_warnings()
            group.main(args=arguments, prog_name="mltasks", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read us has seen enough
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort):
        return _failed("interrupted", 130, debug)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help(), file=sys.stderr)
        return 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        where = f" (see {context.command_path} --help)" if context else ""
        return _failed(f"{error.format_message().rstrip('.')}{where}", 2, debug)
    except Error as error:
        return _failed(str(error), error.exit_code, debug)
    except Exception as error:
        text = f"a bug of mltasks: {type(error).__name__}: {error}; please report it with what --debug shows"
        return _failed(text, Error.exit_code, debug)
    return 0


def _show_our_warnings() -> None:
    from mltasks.errors import TaskDataWarning

    warnings.simplefilter("always", TaskDataWarning)
    warnings.showwarning = lambda message, *_: print(f"mltasks: warning: {_one_line(message)}", file=sys.stderr)


def _failed(text: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"mltasks: {_one_line(text)}", file=sys.stderr)
    return code


def _one_line(text: Any) -> str:
    from mltasks.present.text import one_line

    return one_line(str(text))


def run() -> None:
    """Run the command line and exit."""
    sys.exit(main())
