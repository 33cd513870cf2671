"""`make bench-report`: every server is told of the same failures and successes, in turn, several rounds.

Prints tables and, with --json, writes the same as JSON.
"""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench.reports.contestants import ALL
from tests.bench.reports.report import as_json, as_text
from tests.bench.reports.rounds import Length, run
from tests.bench.reports.serving import started_postgres
from tests.bench.servers import Cores, Failed


def main() -> None:
    """Runs the benchmark as the command line says."""
    parser = argparse.ArgumentParser(prog="make bench-report", description=__doc__)
    names = [contestant.name for contestant in ALL]
    parser.add_argument("--pipelines", type=int, default=2_000, help="that fail at the start (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each load (default: %(default)s)")
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 256], help="default: 64 256", metavar="N")
    parser.add_argument("--only", nargs="+", choices=names, help=f"of {', '.join(names)}", metavar="NAME")
    parser.add_argument("--directory", type=Path, help="where the databases are made (default: a temporary directory)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    given = parser.parse_args()
    contestants = [each for each in ALL if not given.only or each.name in given.only]
    command = " ".join(["make bench-report", *([f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else [])])
    cores = Cores.of_this_machine()
    try:
        with ExitStack() as stack:
            directory = tempfile.TemporaryDirectory(prefix="issuegraph-report-", dir=given.directory)
            where = Path(stack.enter_context(directory))
            is_needed = any(each.database == "postgresql" for each in contestants)
            postgres = stack.enter_context(started_postgres(where, cores)) if is_needed else None
            length = Length(given.pipelines, given.rounds, given.seconds, given.connections)
            report = run(contestants, length, directory=where, postgres=postgres, cores=cores, command=command)
    except Failed as failure:
        sys.exit(f"the run failed: {failure}")
    print(as_text(report))
    if given.json:
        given.json.write_text(json.dumps(as_json(report), indent=2) + "\n")


if __name__ == "__main__":
    main()
