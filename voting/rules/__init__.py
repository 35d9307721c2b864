"""What is fair: pure rules, standard library only, time passed in as ``now_ms``; no I/O lives here."""
