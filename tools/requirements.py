"""Print every requirement key, its title, the tests that prove it and their result; then the counts.

`python -m tools.requirements` reuses the results of the last complete run (`make test` leaves them in
`.requirements.json`) if they are newer than all sources, else runs the tests first. Exit status: 0, or 1 if a key is
failing, or pytest's own status if the tests could not run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.plugins.requirements import ROOT, proofs, requirements, verdict

RESULTS = ROOT / ".requirements.json"
TREES = ("cdr", "crm", "dialer", "simulator", "statuses", "store", "telephony_adapters", "tests", "web")
FILES = ("pyproject.toml", "requirements.txt", "docs/requirements.md")
RAN = (0, 1)  # pytest's "all passed" and "some failed"


def sources() -> Iterator[Path]:
    """Yield the files that a result depends on."""
    yield from (ROOT / name for name in FILES)
    for tree in TREES:
        yield from (path for path in (ROOT / tree).rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def is_fresh(results: Path) -> bool:
    """Say whether the results are newer than every source."""
    return results.exists() and results.stat().st_mtime > max(path.stat().st_mtime for path in sources())


def run_tests() -> int:
    """Run the whole test suite, its output on standard error, and leave the results file."""
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "-q", f"--requirements-file={RESULTS}"]
    return subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode  # noqa: S603 (our own command)


def report(found: dict[str, dict[str, str]]) -> Counter[str]:
    """Print a paragraph per key; count the verdicts."""
    counts: Counter[str] = Counter()
    for key, outcomes in found.items():
        result = verdict(outcomes.values())
        counts[result] += 1
        print(f"{key:<8} {result:<8} {requirements()[key].title}")
        for test, outcome in sorted(outcomes.items()):
            print(f"{'':<17} {outcome}: {test}")
    return counts


def main() -> int:
    """Print the report; return the exit status."""
    if not is_fresh(RESULTS) and (status := run_tests()) not in RAN:
        return status
    counts = report(proofs(json.loads(RESULTS.read_text(encoding="utf-8")), requirements()))
    print(f"\n{counts['proved']} proved, {counts['failing']} failing, {counts['open']} open, of {counts.total()} keys")
    return 1 if counts["failing"] else 0


if __name__ == "__main__":
    sys.exit(main())
