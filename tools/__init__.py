"""The set-up of a checkout: its virtual environment, its Pulumi engine, the settings of a shell that uses both."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this line is what tells an older Python's user
    sys.exit(
        "This project needs Python 3.11 or newer, and {} is {}.{}:"
        " install one and name it, as in `make PYTHON=python3.11 up`.".format(sys.executable, *sys.version_info[:2])
    )
