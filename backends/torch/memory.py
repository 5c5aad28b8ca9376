"""What the C library does with memory that a step has freed.

torch has no cache of its own on CPUs. glibc gives the top of its heap back to the kernel whenever
128 KiB are free there, and takes large blocks from the kernel one by one; either way the next step
faults every page in again, which cost a step of EHR-M-GAN a quarter of its time. PyTorch's tuning
guide recommends another allocator for this; keeping what was freed does as well.
"""

from __future__ import annotations

import ctypes

#: From malloc.h, and what they are set to: the largest block that comes from the heap (glibc allows
#: no more), and how much of the heap may lie free.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_BLOCK_BYTES, FREE_BYTES = 32 << 20, 512 << 20


def keep_freed() -> bool:
    """Tell glibc to keep freed memory for the next step; return whether there is a glibc that
    does."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library has its own ways
        return False
    return bool(
        mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK_BYTES) and mallopt(M_TRIM_THRESHOLD, FREE_BYTES)
    )
