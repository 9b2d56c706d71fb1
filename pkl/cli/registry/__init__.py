"""The verbs of ``pkl registry``, a module each."""
