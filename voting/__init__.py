"""The voting system. Nothing is imported here: every floor is imported by its full name."""
