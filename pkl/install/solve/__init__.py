"""One solve over plugins and libraries: our resolver proposes, an installer answers, both agree.

``market`` and ``project`` (what there is to choose from, in registries and on this machine),
``universe`` (what of it can be reached), ``proposals`` (what our resolver would choose),
``ranges``, ``oracle`` and ``stand_ins`` (questions to the installer), ``answers`` (what is
believed of what it says), ``contradictions``, ``nogoods`` and ``lessons`` (what cannot be had
together), ``no_answer`` (what is said then), ``solving`` (all of it).
"""

from __future__ import annotations
