"""What is installed for a host: generations, made as a whole, flipped in one step, pinned by hosts.

``places`` (where they lie), ``generation`` (one as a value), ``staging``, ``editable_info`` and
``marks`` (who uses which), ``generations`` (all of them); a host takes its own up through
``standing`` and ``pinning``.
"""

from __future__ import annotations
