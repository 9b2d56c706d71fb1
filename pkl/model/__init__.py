"""Pure values and functions over them: requirements, manifests, states, graphs and plans.

Nothing here reads a disk, a clock or the code of a plugin.
"""
