"""The entry point: nothing is to be done when it starts but to be there."""

from __future__ import annotations

from pkl import log

log.debug("somebody wants a digest")
