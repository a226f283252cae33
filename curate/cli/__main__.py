"""`python -m curate.cli` is `curate`."""

from curate.cli import main

main(prog_name="curate")
