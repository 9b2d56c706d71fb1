"""The tests of pkl; each states a claim by its name."""
