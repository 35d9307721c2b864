"""The ballot box in Redis: admits ballots, tallies them and streams them to the ledger. No SQL, no HTTP here."""
