"""The organizers' desk under /organizer: preparing, opening, watching, closing and publishing campaigns.

Nobody passes without an account, and every view says whose it is (``guard.allows``). What an organizer may do is done
by services; no view here reads or writes a table, a key or a count.
"""
