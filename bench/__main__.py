"""The name that ``python -m gradratio`` had: the same commands but for the page, which is ``python -m reports``."""

import sys

from bench.commands import main

if __name__ == "__main__":
    sys.exit(main())
