"""`python -m metier.cli`."""

import sys

from metier.cli.app import main

sys.exit(main())
