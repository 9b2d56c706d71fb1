"""The state store: values, files, crashes, and hosts that keep their state."""
