"""Tickets as comma-separated values, with a header."""

from __future__ import annotations

import csv
import io
from typing import List

from pkl.plugins import reports

from desk.ticket import Ticket


def as_csv(tickets: List[Ticket]) -> str:
    """A header and a row for each ticket."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["number", "title", "reporter", "closed"])
    rows.writerows([t.number, t.title, t.reporter, t.closed] for t in tickets)
    return out.getvalue()


reports.add_format("csv", as_csv)
