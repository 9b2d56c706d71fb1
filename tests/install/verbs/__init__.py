"""The verbs that change what is installed."""
