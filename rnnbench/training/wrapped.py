"""Exceptions of which Keras gives an account of its own."""

from __future__ import annotations

__all__ = ["unwrapped"]

# How Keras begins or ends its account.
_SIGNS = ("Exception encountered when calling", "Error encountered:")


def unwrapped(err: BaseException) -> BaseException:
    """What the layer itself raised."""
    while err.__context__ is not None and any(sign in str(err) for sign in _SIGNS):
        err = err.__context__
    return err
