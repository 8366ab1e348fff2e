# More than the limits allow, and the message.
# ruff: noqa

# %% a loop -> No end after 5 seconds
def softmax(x):
    while True:
        pass


# %% a loop that swallows -> No end after 5 seconds
def softmax(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


# %% sleep -> No end after 5 seconds
import time

softmax = lambda x: time.sleep(1000)

# %% a loop in C -> No end after 5 seconds
softmax = lambda x: sum(range(10**13))

# %% input -> nobody does while a notebook is checked or graded
softmax = lambda x: input()

# %% memory -> MemoryError
softmax = lambda x: np.ones(10**12)

# %% memory of many -> MB of memory were used
import os, time


def softmax(x):
    for _ in range(3):
        os.fork()
    block = b"x" * 400_000_000
    time.sleep(60)


# %% threads -> can't start new thread
import threading, time


def softmax(x):
    while True:
        threading.Thread(target=time.sleep, args=(99,)).start()


# %% output -> MB were printed or shown
def softmax(x):
    while True:
        print("x" * 10_000)


# %% output at once -> MB were printed or shown
softmax = lambda x: print("x" * 100_000_000)

# %% displays -> MB were printed or shown
from IPython.display import display


def softmax(x):
    while True:
        display({"text/plain": "x" * 100_000}, raw=True)


# %% files -> No space left on device
def softmax(x):
    for i in range(10**6):
        with open(f"/tmp/{i}", "wb") as f:
            f.write(bytes(10**7))


# %% shared memory -> No space left on device
def softmax(x):
    for i in range(10**6):
        with open(f"/dev/shm/{i}", "wb") as f:
            f.write(bytes(10**7))


# %% one file -> File too large
def softmax(x):
    with open("large", "wb") as f:
        f.truncate(10**12)
