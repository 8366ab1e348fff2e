# Code that may end Python in a hidden test. Only that exercise loses its points.
# ruff: noqa

# %% os._exit
import os

softmax = lambda x: os._exit(0)


# %% SystemExit
def softmax(x):
    raise SystemExit


# %% KeyboardInterrupt
def softmax(x):
    raise KeyboardInterrupt


# %% GeneratorExit
def softmax(x):
    raise GeneratorExit


# %% an exception group
def softmax(x):
    raise BaseExceptionGroup("all", [SystemExit(), ValueError()])


# %% quit()
softmax = lambda x: quit()

# %% a signal
import os, signal

softmax = lambda x: os.kill(os.getpid(), signal.SIGKILL)

# %% signals to everybody
import os

softmax = lambda x: os.kill(-1, 9)

# %% the parent's end
import os

softmax = lambda x: (os.kill(os.getppid(), 9), os.kill(1, 9), os._exit(0))

# %% a crash
import ctypes

softmax = lambda x: ctypes.string_at(0)

# %% endless recursion
softmax = lambda x: softmax(x)

# %% closed files
import os

softmax = lambda x: os.closerange(0, 1000)

# %% a closed socket
softmax = lambda x: get_ipython().kernel.iopub_socket.close()

# %% fork and exit
import os

softmax = lambda x: (os.fork(), os._exit(0))

# %% exec
import os

softmax = lambda x: os.execv("/bin/true", ["true"])
