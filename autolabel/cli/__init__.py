"""The command line: ``autolabel --help``.

Nothing heavy is imported before a command needs it, so that help and mistakes are answered at once.
"""

from autolabel.cli.app import app, main

__all__ = ["app", "main"]
