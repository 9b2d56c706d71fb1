"""The version of pkl: the one place where it is written."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
