"""A disk whose flush takes longer: a small C library, compiled here and now, that Valkey is started with."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_first(void) {
    const char *us = getenv("SLOW_FLUSH_US");
    if (us) usleep((useconds_t) atoi(us));
}
int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fsync");
    wait_first();
    return real(file);
}
int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    wait_first();
    return real(file);
}
"""


def slow_flush(folder: Path, milliseconds: float) -> dict[str, str] | None:
    """The environment for a Valkey whose every flush takes so much longer; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    source, library = folder / "slow.c", folder / "slow.so"
    source.write_text(SOURCE, encoding="ascii")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], capture_output=True)
    if done.returncode:
        return None
    return dict(os.environ) | {"LD_PRELOAD": str(library), "SLOW_FLUSH_US": str(int(milliseconds * 1000))}
