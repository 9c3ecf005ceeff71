"""The models that are not up, and how many others there are."""

from __future__ import annotations

import pandas as pd

QUIET = ("up", "undeployed")  # verdicts that ask for nothing


def select_models_not_up(models: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the rows of the report `models` that ask for something, and how many others have each verdict.

    A model whose verdict is unknown asks for something where its last deployment did not succeed.
    """
    is_quiet = models["verdict"].isin(QUIET) | (
        (models["verdict"] == "unknown") & (models["last_outcome"] == "succeeded")
    )
    others = {str(name): int(count) for name, count in models.loc[is_quiet, "verdict"].value_counts().items()}
    rows = models[~is_quiet].reset_index(drop=True)
    rows.attrs = models.attrs
    return rows, others
