"""Others' turns while a thread reads a definition: whatever it compiles, it holds the interpreter meanwhile."""

import threading
import time

# Nothing that is allowed takes longer to compile.
_LONGEST_SECONDS = 0.1


def give_way(since: float) -> None:
    """Lets all others run for as long as this thread did since then (time.perf_counter()); not in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        time.sleep(min(time.perf_counter() - since, _LONGEST_SECONDS))
