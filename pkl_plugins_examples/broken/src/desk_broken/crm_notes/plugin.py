"""Is never imported as long as crm-sync does not run."""

from __future__ import annotations

from pkl.plugins import crm_sync

send = crm_sync.send
