"""Use cases: a service gathers facts, asks a pure rule, and owns the commit. No HTTP, no wording for citizens."""
