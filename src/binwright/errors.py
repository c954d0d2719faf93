"""The error tree: every refusal of binwright is one of these, with a one-line message that names object and field."""


class BinwrightError(ValueError):
    """Base of everything that binwright raises on purpose."""


class InputError(BinwrightError):
    """Bad input: the message is one line, "WHERE: WHAT", naming the object and the field; nothing has changed."""


class StateError(BinwrightError):
    """A call out of order: a token that is not the last one, an item that is gone, a fleet busy in another thread."""


class MissingExtraError(BinwrightError):
    """A feature needs an optional dependency; the message names the pip command that installs it."""

    @classmethod
    def for_module(cls, module: str, extra: str) -> "MissingExtraError":
        """The error for a missing `module` that the extra `extra` brings."""
        return cls(f"{module} is not installed: pip install 'binwright[{extra}]'")


class BinwrightWarning(UserWarning):
    """Base of the warnings of binwright."""
