"""Every exception this package raises on purpose.

::

    AutolabelError
    ├── UserError            a mistake in what the user gave; the command line exits with 2
    │   ├── OntologyError    the class names, prompts or thresholds cannot be used
    │   ├── InputError       a video, image or folder cannot be read
    │   ├── ModelError       a model cannot be found or loaded
    │   └── RunError         a run folder cannot be read or continued
    └── LabelError           labels that contradict themselves (a box outside its frame, arrays of unequal length)

Each message is one sentence that says what was expected, what was found and what to do.
"""

__all__ = ["AutolabelError", "InputError", "LabelError", "ModelError", "OntologyError", "RunError", "UserError"]


class AutolabelError(Exception):
    """Base of every exception that this package raises on purpose."""


class UserError(AutolabelError):
    """A mistake in what the user gave; its message is one sentence with the remedy."""


class OntologyError(UserError):
    """The class names, prompts or thresholds cannot be used."""


class InputError(UserError):
    """A video, image or folder cannot be read."""


class ModelError(UserError):
    """A model cannot be found or loaded."""


class RunError(UserError):
    """A run folder cannot be read, written or continued."""


class LabelError(AutolabelError, ValueError):
    """Labels that contradict themselves."""
