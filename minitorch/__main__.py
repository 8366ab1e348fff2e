"""The program `minitorch`, also as `python -m minitorch`. It answers Ctrl-C before the first import that takes time."""

import os

from . import _interrupt


def main() -> None:
    """Run the command line. After a signal, end without destructors, which crash if XLA's threads still compute."""
    _interrupt.install()
    from .cli import main as run

    try:
        run()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
        if not _interrupt.flush() or code >= 128:
            os._exit(code or 1)
        raise


if __name__ == "__main__":
    main()
