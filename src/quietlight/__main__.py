"""`python -m quietlight`."""

from quietlight.cli import main

main()
