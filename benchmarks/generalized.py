"""Times ML fits of generalized linear mixed models against four other engines in one run: see README.md."""

from __future__ import annotations

from generalized_cases import generalized_cases
from generalized_report import markdown
from linear import HERE, arguments, engines, measured, write

LIMIT = 300.0  # seconds


def main() -> None:
    """Run every case with every engine, then write results/generalized.json and results/generalized.md."""
    cases = generalized_cases()
    options = arguments(__doc__, cases, LIMIT)
    commands = engines(options.peers) | {"glmmTMB": ["Rscript", str(HERE / "peers" / "run_glmmTMB.R")]}
    run = measured(options, cases, commands, "make bench-generalized")
    write(run, markdown(run, cases), options.output, "generalized")


if __name__ == "__main__":
    main()
