"""The error tree: each class's docstring is what went wrong; each message says what, where and what to do."""

from __future__ import annotations


class DialerError(Exception):
    """Something that a person can mend; the command line prints it and exits with status 2."""


class NotFound(DialerError):
    """The thing that was named does not exist."""


class Deleted(NotFound):
    """The thing that was named was there, and has been deleted."""


class Damaged(DialerError):
    """The thing is there, but is not what was stored."""


class IllegalAction(DialerError):
    """The state of the thing does not allow the action."""


class BadInput(DialerError):
    """The input is not what the product can take."""


class ResourceBusy(DialerError):
    """A port, a folder or a database belongs to another process."""


class Unreachable(DialerError):
    """A server that is needed does not answer."""


class StoreTooNew(DialerError):
    """The database was written by a newer program."""


class AdapterError(Exception):
    """A telephony adapter is ill; a call that merely fails is an event, never this."""


class AdapterDown(AdapterError):
    """The adapter has lost its switch or trunk."""


class Overloaded(AdapterError):
    """The adapter or the store cannot keep up; the caller slows down."""


class NotSupported(AdapterError):
    """The adapter does not declare this capability."""


class Fenced(Exception):
    """Another engine owns the campaign now; this one must stop at once."""


class PartitionGone(Exception):
    """The partition of the event log belongs to another reader now; go on with those that are left."""
