# Each cell adds to `found` what should not be visible.
# ruff: noqa

# %% the source
look(SOURCE, "/notebooks/07_tiny.py")
search(ROOT, lambda f: True)

# %% notebooks
for package in PACKAGES:
    search(package, lambda f: f.endswith(".ipynb"))

# %% the repository
for package in PACKAGES:
    found += {".git", "tests", "notebooks", "docs", "labs", "lectures", "benchmarks", "Makefile"} & {
        *os.listdir(os.path.dirname(package))
    }

# %% environment variables
found += [n for n in os.environ if "TOKEN" in n or "SECRET" in n or "PYTEST" in n]

# %% those of the first process
try:
    found += [v for v in open("/proc/1/environ").read().split("\0") if "PYTEST" in v or "SECRET" in v]
except OSError:
    pass

# %% other processes
found += [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, 2, os.getpid())]

# %% open files
for fd in os.listdir("/proc/self/fd"):
    try:
        path = os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        continue
    if path.startswith("/") and not path.startswith(
        ("/dev/null", "/dev/pts", "/memfd", "/dev/urandom", "/proc", "anon")
    ):
        found += [path] if "stderr.txt" not in path else []

# %% files of the host
look("/etc/shadow", "/etc/passwd", "/root/.bashrc", "/etc/hostname", "/proc/1/root/etc/passwd")

# %% the network
import socket

for address in (("127.0.0.1", 22), ("1.1.1.1", 53), ("127.0.0.1", 8888)):
    try:
        socket.create_connection(address, 1)
        found.append(address)
    except OSError:
        pass
found += [n for _, n in socket.if_nameindex() if n != "lo"]

# %% names in the network
import socket

try:
    found.append(socket.gethostbyname("example.com"))
except OSError:
    pass

# %% abstract sockets
found += [l for l in open("/proc/net/unix") if "@" in l]

# %% places to write
for path in (
    "/",
    "/usr",
    *PACKAGES,
    os.path.dirname(os.__file__),
    "/etc",
    "/dev",
    "/run/grading",
    "/run/grading/cache",
    "/run/grading/cache/jax",
    "/proc/sys/kernel",
    "/sys",
):
    try:
        open(os.path.join(path, "written"), "w").close()
        found.append(path)
    except OSError:
        pass

# %% kernel settings
for path in ("/proc/sys/kernel/core_pattern", "/proc/self/oom_score_adj", "/proc/sysrq-trigger"):
    try:
        with open(path, "w") as f:
            f.write("-1000")
        found.append(path)
    except OSError:
        pass

# %% capabilities
found += [l for l in open("/proc/self/status") if l.startswith("Cap") and int(l.split()[1], 16)]

# %% root
found += [os.getuid()] if os.getuid() == 0 else []

# %% namespaces of one's own
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for flag in (0x10000000, 0x00020000, 0x40000000):
    if libc.unshare(flag) == 0:
        found.append(hex(flag))

# %% mounts
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 or libc.mount(b"", b"/", b"", 32 | 4096, None) == 0:
    found.append("mounted")

# %% limits raised
import resource

for which in (resource.RLIMIT_NPROC, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
    try:
        resource.setrlimit(which, (resource.RLIM_INFINITY,) * 2)
        found.append(which)
    except (OSError, ValueError):
        pass

# %% the terminal
look("/dev/tty", "/dev/console")

# %% what is expected
import gc

found += [
    k for o in gc.get_objects() if isinstance(o, dict) for k in ("mistakes", "tolerance") if k in o and "value" in o
]
