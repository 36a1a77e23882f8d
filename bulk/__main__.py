"""`python -m bulk`."""

from bulk.cli import main

main()
