"""Floor 2, SQL: a table and its queries share a file. Functions take a session; nothing here commits or decides."""
