"""A graph or a table as text: for terminals, other programs, browsers and printers.

Pure functions: each takes a ``Graph`` (or rows) and options and returns a ``str``. Nothing here
reads a stream, a clock or a file, but for ``Terminal.of``, which asks a stream what it can show.
"""
