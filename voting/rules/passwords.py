"""Which passwords the desk takes: length before variety, nothing that is guessed first (NIST SP 800-63B, 5.1.1)."""

from __future__ import annotations

from itertools import pairwise

from voting.rules.account_errors import PasswordRefused

SHORTEST, LONGEST = 12, 128
FEWEST_DIFFERENT = 5
#: beginnings of what is tried first here, in lower case and without what stands between
_COMMON = (
    "password", "passw0rd", "administrator", "admin", "qwerty", "qwertyuiop", "asdfgh", "asdfghjkl", "zxcvbn",
    "1q2w3e4r", "1qaz2wsx", "abc123", "abcdef", "iloveyou", "woaini", "woaizhongguo", "letmein", "welcome", "123456",
    "654321", "000000", "111111", "112233", "123123", "88888888", "66666666", "5201314", "147258", "yangjiang",
    "toupiao", "zuzhibu", "dangyuan", "shijia", "baijia",
)  # fmt: skip


def check_password(password: str, *names: str) -> None:
    """Raises PasswordRefused with everything that is wrong; ``names`` are words it must not be made of."""
    problems = []
    if len(password) < SHORTEST:
        problems.append("too_short")
    if len(password) > LONGEST:
        problems.append("too_long")
    if len(set(password)) < FEWEST_DIFFERENT or _is_row(password):
        problems.append("too_plain")
    plain = "".join(char for char in password.lower() if char.isalnum())
    if _made_of(plain, _COMMON):
        problems.append("too_common")
    if _made_of(plain, tuple(name.lower() for name in names if len(name) >= 3)):
        problems.append("like_name")
    if problems:
        raise PasswordRefused(tuple(problems))


def _is_row(password: str) -> bool:
    """Each character follows the one before, as in 123456789012 or abcdefghijkl."""
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    return len(steps) == 1 or (password.isdigit() and steps <= {1, -9})


def _made_of(plain: str, words: tuple[str, ...]) -> bool:
    """What is left without these words is too little to guess at."""
    rest = plain
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != plain and len(rest.strip("0123456789")) < 4
