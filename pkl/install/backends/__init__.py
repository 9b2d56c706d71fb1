"""uv and pip, run apart from the user's settings and shown one index that is made for the question.

``backend`` (what is asked of either), ``host_side`` (what of the environment stays as it is),
``index_page``, ``stub_wheel``, ``index_server`` and ``index_view`` (the index that they are
shown), ``wheel_choice``, ``processes``, ``proof_text``, ``asking``, ``uv``, ``pip`` and
``choose_backend``.
"""

from __future__ import annotations
