"""Check what a wheel holds: the package, its type marker, the example data, and nothing of tests or benchmarks."""

from __future__ import annotations

import sys
import zipfile

NEEDED = {
    *("mltasks/__init__.py", "mltasks/py.typed", "mltasks/cli/main.py", "mltasks/data/tasks.ndjson.gz"),
    *("mltasks/data/context.json", "mltasks/reports/known_errors.toml", "mltasks/render/templates/page.html.j2"),
}
SUFFIXES = (".py", ".pyi", ".typed", ".toml", ".j2", ".json", ".gz", ".md", ".ndjson")


def problems(wheel: str) -> list[str]:
    """Return what is wrong with the contents of a wheel, one line each."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    inside = {name for name in names if name.startswith("mltasks/")}
    info = {name for name in names - inside if ".dist-info/" in name}
    found = [f"{name} is missing" for name in sorted(NEEDED - inside)]
    found += [f"{name} does not belong there" for name in sorted(names - inside - info)]
    found += [f"{name} is of no kind that the package has" for name in sorted(inside) if not name.endswith(SUFFIXES)]
    found += [f"{name} is a test" for name in sorted(inside) if "/test" in name or "conftest" in name]
    licence = any(name.endswith("/LICENSE") for name in info)
    return found if licence else [*found, "the licence is missing"]


if __name__ == "__main__":
    wrong = problems(sys.argv[1])
    print("\n".join(wrong) or f"{sys.argv[1]}: all that it needs, and nothing else")
    sys.exit(bool(wrong))
