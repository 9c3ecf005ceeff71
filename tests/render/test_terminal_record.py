from __future__ import annotations

import pandas as pd

from mltasks.render import terminal_record
from support.views import view


def test_a_record_is_a_line_a_field_of_those_that_are_there() -> None:
    task = pd.DataFrame(
        {
            "task_id": ["-a"],
            "function_name": pd.Series([None], dtype="str"),
            "create_time": [pd.Timestamp("2025-11-24 22:00", tz="UTC")],
            "seq_no": pd.array([1234567], "Int64"),
            "is_async": pd.array([True], "boolean"),
            "progress": [float("nan")],
            "duration_s": [135.2],
        }
    )
    assert terminal_record.render(view(task), width=200) == (
        "3 tasks of somewhere, created 2025-11-24 22:00-23:00 UTC (all), as of 2025-11-25 00:00 UTC\n"
        "\n"
        "task_id        -a\n"
        "create_time    2025-11-24T22:00:00.000Z\n"
        "seq_no         1234567\n"
        "is_async       true\n"
        "duration_s     2m15s\n"
    )


def test_a_long_error_goes_on_below_itself_and_stays_harmless() -> None:
    task = pd.DataFrame({"task_id": ["a"], "error": ["\x1b[31mno such index\nand " + "more " * 12]})
    *_, first, second, third = terminal_record.render(view(task), width=40).splitlines()
    assert (first, second, third) == (
        "error    \\x1b[31mno such index\\nand more",
        "         more more more more more more",
        "         more more more more more",
    )


def test_records_are_a_blank_line_apart() -> None:
    shown = terminal_record.render(view(pd.DataFrame({"task_id": ["a", "b"]})), width=200)
    assert shown.split("\n\n")[1:] == ["task_id  a", "task_id  b\n"]
