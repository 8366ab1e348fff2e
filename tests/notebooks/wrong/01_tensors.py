# %% exercise="broadcast_shape" says="flush left" loses=["broadcast_shape-fits", "broadcast_shape-refuses"]
def broadcast_shape(a, b):
    rank = max(len(a), len(b))
    a, b = (shape + (1,) * (rank - len(shape)) for shape in (a, b))
    for n, m in zip(a, b):
        if n != m and 1 not in (n, m):
            raise ValueError("do not broadcast")
    return tuple(m if n == 1 else n for n, m in zip(a, b))


# %% exercise="broadcast_shape" says="a shape came out" loses=["broadcast_shape-refuses"]
def broadcast_shape(a, b):
    rank = max(len(a), len(b))
    a, b = ((1,) * (rank - len(shape)) + shape for shape in (a, b))
    return tuple(m if n == 1 else max(n, m) if m != 1 else n for n, m in zip(a, b))


# %% exercise="broadcast_shape" says="only the longer shape has are lost" loses=["broadcast_shape-fits"]
def broadcast_shape(a, b):
    shape = []
    for n, m in zip(reversed(a), reversed(b)):
        if n != m and 1 not in (n, m):
            raise ValueError("do not broadcast")
        shape.append(m if n == 1 else n)
    return tuple(reversed(shape))


# %% exercise="broadcast_shape" says="The maximum of the sizes is not the rule" loses=["broadcast_shape-refuses"]
def broadcast_shape(a, b):
    rank = max(len(a), len(b))
    a, b = ((1,) * (rank - len(shape)) + shape for shape in (a, b))
    for n, m in zip(a, b):
        if n != m and 1 not in (n, m):
            raise ValueError("do not broadcast")
    return tuple(max(n, m) for n, m in zip(a, b))


# %% exercise="broadcast_shape" says="Either of the two may have the 1" loses=["broadcast_shape-fits", "broadcast_shape-refuses"]
def broadcast_shape(a, b):
    rank = max(len(a), len(b))
    a, b = ((1,) * (rank - len(shape)) + shape for shape in (a, b))
    for n, m in zip(a, b):
        if m not in (1, n):
            raise ValueError("do not broadcast")
    return a


# %% exercise="broadcast_shape" says="in reversed order" loses=["broadcast_shape-fits", "broadcast_shape-refuses"]
def broadcast_shape(a, b):
    shape = []
    for n, m in itertools.zip_longest(reversed(a), reversed(b), fillvalue=1):
        if n != m and 1 not in (n, m):
            raise ValueError("do not broadcast")
        shape.append(m if n == 1 else n)
    return tuple(shape)


# %% exercise="offset" says="as in Fortran" loses=["offset-strides", "reshaped-contiguous", "reshaped-layout", "reshaped-refuses"]
def strides_of(shape):
    strides, step = [], 1
    for n in shape:
        strides.append(step)
        step *= n
    return tuple(strides)


def offset(v, index):
    position = v.start
    for i, n, step in zip(index, v.shape, v.strides):
        if not -n <= i < n:
            raise IndexError("no such entry")
        position += i % n * step
    return position


# %% exercise="offset" says="multiplied by its own size too" loses=["offset-strides", "reshaped-contiguous", "reshaped-layout", "reshaped-refuses"]
def strides_of(shape):
    strides, step = [], 1
    for n in reversed(shape):
        step *= n
        strides.append(step)
    return tuple(reversed(strides))


def offset(v, index):
    position = v.start
    for i, n, step in zip(index, v.shape, v.strides):
        if not -n <= i < n:
            raise IndexError("no such entry")
        position += i % n * step
    return position


# %% exercise="offset" says="not turned round" loses=["offset-strides", "reshaped-contiguous", "reshaped-layout", "reshaped-refuses"]
def strides_of(shape):
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(strides)


def offset(v, index):
    position = v.start
    for i, n, step in zip(index, v.shape, v.strides):
        if not -n <= i < n:
            raise IndexError("no such entry")
        position += i % n * step
    return position


# %% exercise="offset" says="The index was multiplied by the shape" loses=["offset-positions", "gather-gathered"]
def strides_of(shape):
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def offset(v, index):
    position = v.start
    for i, n in zip(index, v.shape):
        if not -n <= i < n:
            raise IndexError("no such entry")
        position += i % n * n
    return position


# %% exercise="offset" says="The start was forgotten" loses=["offset-positions", "gather-gathered"]
def strides_of(shape):
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def offset(v, index):
    position = 0
    for i, n, step in zip(index, v.shape, v.strides):
        if not -n <= i < n:
            raise IndexError("no such entry")
        position += i % n * step
    return position


# %% exercise="offset" says="A negative index was used as it is" loses=["offset-positions"]
def strides_of(shape):
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def offset(v, index):
    position = v.start
    for i, n, step in zip(index, v.shape, v.strides):
        if not -n <= i < n:
            raise IndexError("no such entry")
        position += i * step
    return position


# %% exercise="offset" says="-1 on an axis of size n is n - 1" loses=["offset-positions", "gather-gathered"]
def strides_of(shape):
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def offset(v, index):
    position = v.start
    for i, n, step in zip(index, v.shape, v.strides):
        if not -n <= i < n:
            raise IndexError("no such entry")
        if i < 0:
            i = n - 1 + i
        position += i * step
    return position


# %% exercise="offset" says="came round again at the other end" loses=["offset-positions", "gather-gathered"]
def strides_of(shape):
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def offset(v, index):
    return v.start + sum(i % n * step for i, n, step in zip(index, v.shape, v.strides))


# %% exercise="offset" says="On an axis of size n the last one is n - 1" loses=["offset-positions"]
def strides_of(shape):
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def offset(v, index):
    position = v.start
    for i, n, step in zip(index, v.shape, v.strides):
        if not -n <= i <= n:
            raise IndexError("no such entry")
        position += (i + n if i < 0 else i) * step
    return position


# %% exercise="views" says="they belong to the axes and go with them" loses=["views-transposed"]
def transposed(v, axes):
    return v._replace(shape=tuple(v.shape[k] for k in axes))


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), v.start + start * v.strides[axis])


# %% exercise="views" says="opposite permutation" loses=["views-transposed"]
def transposed(v, axes):
    shape, strides = list(v.shape), list(v.strides)
    for k, axis in enumerate(axes):
        shape[axis], strides[axis] = v.shape[k], v.strides[k]
    return v._replace(shape=tuple(shape), strides=tuple(strides))


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), v.start + start * v.strides[axis])


# %% exercise="views" says="The axes were reversed" loses=["views-transposed"]
def transposed(v, axes):
    return v._replace(shape=v.shape[::-1], strides=v.strides[::-1])


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), v.start + start * v.strides[axis])


# %% exercise="views" says="Strides were made from the new shape" loses=["views-transposed"]
def transposed(v, axes):
    shape = tuple(v.shape[k] for k in axes)
    return v._replace(shape=shape, strides=strides_of(shape))


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), v.start + start * v.strides[axis])


# %% exercise="views" says="The start did not move" loses=["views-sliced"]
def transposed(v, axes):
    return v._replace(shape=tuple(v.shape[k] for k in axes), strides=tuple(v.strides[k] for k in axes))


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return v._replace(shape=tuple(shape), strides=tuple(strides))


# %% exercise="views" says="The size was rounded down" loses=["views-sliced"]
def transposed(v, axes):
    return v._replace(shape=tuple(v.shape[k] for k in axes), strides=tuple(v.strides[k] for k in axes))


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = (stop - start) // step
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), v.start + start * v.strides[axis])


# %% exercise="views" says="The start moved by the new stride" loses=["views-sliced"]
def transposed(v, axes):
    return v._replace(shape=tuple(v.shape[k] for k in axes), strides=tuple(v.strides[k] for k in axes))


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), v.start + start * strides[axis])


# %% exercise="views" says="The stride of the axis must become `step` times as long" loses=["views-sliced"]
def transposed(v, axes):
    return v._replace(shape=tuple(v.shape[k] for k in axes), strides=tuple(v.strides[k] for k in axes))


def sliced(v, axis, start, stop, step):
    shape = list(v.shape)
    shape[axis] = len(range(start, stop, step))
    return v._replace(shape=tuple(shape), start=v.start + start * v.strides[axis])


# %% exercise="views" says="The view that is sliced" loses=["views-sliced"]
def transposed(v, axes):
    return v._replace(shape=tuple(v.shape[k] for k in axes), strides=tuple(v.strides[k] for k in axes))


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), start * v.strides[axis])


# %% exercise="views" says="The start moved by one number" loses=["views-sliced"]
def transposed(v, axes):
    return v._replace(shape=tuple(v.shape[k] for k in axes), strides=tuple(v.strides[k] for k in axes))


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), v.start + start)


# %% exercise="views" says="The stride became the step itself" loses=["views-sliced"]
def transposed(v, axes):
    return v._replace(shape=tuple(v.shape[k] for k in axes), strides=tuple(v.strides[k] for k in axes))


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] = step
    return View(v.data, tuple(shape), tuple(strides), v.start + start * v.strides[axis])


# %% exercise="views" says="A view is a new walk through the same one" loses=["views-transposed"]
def transposed(v, axes):
    return v._replace(
        shape=tuple(v.shape[k] for k in axes), strides=tuple(v.strides[k] for k in axes), data=list(v.data)
    )


def sliced(v, axis, start, stop, step):
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), v.start + start * v.strides[axis])


# %% exercise="stretched" says="kept its stride when it was stretched" loses=["stretched-strides"]
def stretched(v, shape):
    new = len(shape) - len(v.shape)
    for n, wanted in zip((1,) * new + v.shape, shape):
        if n not in (1, wanted):
            raise ValueError("does not stretch")
    return v._replace(shape=tuple(shape), strides=(0,) * new + v.strides)


# %% exercise="stretched" says="new axes come in front" loses=["stretched-strides", "stretched-refuses"]
def stretched(v, shape):
    new = len(shape) - len(v.shape)
    strides = []
    for n, step, wanted in zip(v.shape + (1,) * new, v.strides + (0,) * new, shape):
        if n not in (1, wanted):
            raise ValueError("does not stretch")
        strides.append(step if n == wanted else 0)
    return v._replace(shape=tuple(shape), strides=tuple(strides))


# %% exercise="stretched" says="The strides are those of" loses=["stretched-strides", "stretched-refuses"]
def stretched(v, shape):
    new = len(shape) - len(v.shape)
    for n, wanted in zip((1,) * new + v.shape, shape):
        if n not in (1, wanted):
            raise ValueError("does not stretch")
    return v._replace(shape=tuple(shape), strides=tuple(math.prod(shape[k + 1 :]) for k in range(len(shape))))


# %% exercise="stretched" says="All strides are 0" loses=["stretched-strides", "stretched-refuses"]
def stretched(v, shape):
    new = len(shape) - len(v.shape)
    for n, wanted in zip((1,) * new + v.shape, shape):
        if n not in (1, wanted):
            raise ValueError("does not stretch")
    return v._replace(shape=tuple(shape), strides=(0,) * len(shape))


# %% exercise="stretched" says="Only size 1 stretches: raise ValueError" loses=["stretched-refuses"]
def stretched(v, shape):
    new = len(shape) - len(v.shape)
    pairs = zip((1,) * new + v.shape, (0,) * new + v.strides, shape)
    return v._replace(shape=tuple(shape), strides=tuple(step if n == wanted else 0 for n, step, wanted in pairs))


# %% exercise="stretched" says="was accepted" loses=["stretched-refuses"]
def stretched(v, shape):
    new = len(shape) - len(v.shape)
    pairs = zip((1,) * new + v.shape, (0,) * new + v.strides)
    return v._replace(shape=tuple(shape), strides=tuple(0 if n == 1 else step for n, step in pairs))


# %% exercise="stretched" says="The start is lost" loses=["stretched-strides"]
def stretched(v, shape):
    new = len(shape) - len(v.shape)
    strides = []
    for n, step, wanted in zip((1,) * new + v.shape, (0,) * new + v.strides, shape):
        if n not in (1, wanted):
            raise ValueError("does not stretch")
        strides.append(step if n == wanted else 0)
    return View(v.data, tuple(shape), tuple(strides))


# %% exercise="reshaped" says="Where a view starts does not matter" loses=["reshaped-contiguous", "reshaped-layout"]
def is_contiguous(v):
    return v.start == 0 and all(n == 1 or s == w for n, s, w in zip(v.shape, v.strides, strides_of(v.shape)))


def reshaped(v, shape):
    if not is_contiguous(v):
        raise ValueError("copy first")
    count = math.prod(v.shape)
    shape = tuple(count // -math.prod(shape) if n == -1 else n for n in shape)
    if math.prod(shape) != count:
        raise ValueError("does not fit")
    return v._replace(shape=shape, strides=strides_of(shape))


# %% exercise="reshaped" says="its stride does not matter" loses=["reshaped-contiguous"]
def is_contiguous(v):
    return v.strides == strides_of(v.shape)


def reshaped(v, shape):
    if not is_contiguous(v):
        raise ValueError("copy first")
    count = math.prod(v.shape)
    shape = tuple(count // -math.prod(shape) if n == -1 else n for n in shape)
    if math.prod(shape) != count:
        raise ValueError("does not fit")
    return v._replace(shape=shape, strides=strides_of(shape))


# %% exercise="reshaped" says="there may be gaps" loses=["reshaped-contiguous"]
def is_contiguous(v):
    steps = [step for n, step in zip(v.shape, v.strides) if n > 1]
    return all(a > b for a, b in zip(steps, steps[1:])) and 0 not in steps


def reshaped(v, shape):
    if not is_contiguous(v):
        raise ValueError("copy first")
    count = math.prod(v.shape)
    shape = tuple(count // -math.prod(shape) if n == -1 else n for n in shape)
    if math.prod(shape) != count:
        raise ValueError("does not fit")
    return v._replace(shape=shape, strides=strides_of(shape))


# %% exercise="reshaped" says="The start is lost" loses=["reshaped-layout"]
def is_contiguous(v):
    return all(n == 1 or s == w for n, s, w in zip(v.shape, v.strides, strides_of(v.shape)))


def reshaped(v, shape):
    if not is_contiguous(v):
        raise ValueError("copy first")
    count = math.prod(v.shape)
    shape = tuple(count // -math.prod(shape) if n == -1 else n for n in shape)
    if math.prod(shape) != count:
        raise ValueError("does not fit")
    return View(v.data, shape, strides_of(shape))


# %% exercise="reshaped" says="A transposed table was reshaped as if its numbers lay in order" loses=["reshaped-refuses"]
def is_contiguous(v):
    return all(n == 1 or s == w for n, s, w in zip(v.shape, v.strides, strides_of(v.shape)))


def reshaped(v, shape):
    count = math.prod(v.shape)
    shape = tuple(count // -math.prod(shape) if n == -1 else n for n in shape)
    if math.prod(shape) != count:
        raise ValueError("does not fit")
    return v._replace(shape=shape, strides=strides_of(shape))


# %% exercise="reshaped" says="hides it" loses=["reshaped-refuses"]
def is_contiguous(v):
    return all(n == 1 or s == w for n, s, w in zip(v.shape, v.strides, strides_of(v.shape)))


def reshaped(v, shape):
    if not is_contiguous(v):
        raise ValueError("copy first")
    count = math.prod(v.shape)
    if -1 in shape:
        shape = tuple(count // -math.prod(shape) if n == -1 else n for n in shape)
    elif math.prod(shape) != count:
        raise ValueError("does not fit")
    return v._replace(shape=shape, strides=strides_of(shape))


# %% exercise="reshaped" says="The count" loses=["reshaped-refuses"]
def is_contiguous(v):
    return all(n == 1 or s == w for n, s, w in zip(v.shape, v.strides, strides_of(v.shape)))


def reshaped(v, shape):
    if not is_contiguous(v):
        raise ValueError("copy first")
    count = math.prod(v.shape)
    shape = tuple(count // -math.prod(shape) if n == -1 else n for n in shape)
    return v._replace(shape=shape, strides=strides_of(shape))


# %% exercise="summed" says="`if axis` is false for both" loses=["summed-one-axis", "summed-axes"]
def summed(v, axis=None, keepdims=False):
    rank = len(v.shape)
    axes = range(rank) if not axis else (axis,) if isinstance(axis, int) else axis
    gone = {k % rank for k in axes}
    kept = tuple(1 if k in gone else n for k, n in enumerate(v.shape))
    total = contiguous([0] * math.prod(kept), kept)
    steps = tuple(0 if k in gone else step for k, step in enumerate(total.strides))
    for source, target in walk(v.shape, v.strides, steps):
        total.data[target] += v.data[v.start + source]
    return total if keepdims else contiguous(total.data, [n for k, n in enumerate(v.shape) if k not in gone])


# %% exercise="summed" says="do not overwrite it" loses=["summed-one-axis", "summed-axes"]
def summed(v, axis=None, keepdims=False):
    rank = len(v.shape)
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % rank for k in axes}
    kept = tuple(1 if k in gone else n for k, n in enumerate(v.shape))
    total = contiguous([0] * math.prod(kept), kept)
    steps = tuple(0 if k in gone else step for k, step in enumerate(total.strides))
    for source, target in walk(v.shape, v.strides, steps):
        total.data[target] = v.data[v.start + source]
    return total if keepdims else contiguous(total.data, [n for k, n in enumerate(v.shape) if k not in gone])


# %% exercise="summed" says="negative axes positive first" loses=["summed-one-axis", "summed-axes"]
def summed(v, axis=None, keepdims=False):
    rank = len(v.shape)
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    kept = tuple(1 if k in axes else n for k, n in enumerate(v.shape))
    total = contiguous([0] * math.prod(kept), kept)
    steps = tuple(0 if k in axes else step for k, step in enumerate(total.strides))
    for source, target in walk(v.shape, v.strides, steps):
        total.data[target] += v.data[v.start + source]
    return total if keepdims else contiguous(total.data, [n for k, n in enumerate(v.shape) if k not in axes])


# %% exercise="summed" says="keepdims was not heeded" loses=["summed-axes"]
def summed(v, axis=None, keepdims=False):
    rank = len(v.shape)
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % rank for k in axes}
    kept = tuple(1 if k in gone else n for k, n in enumerate(v.shape))
    total = contiguous([0] * math.prod(kept), kept)
    steps = tuple(0 if k in gone else step for k, step in enumerate(total.strides))
    for source, target in walk(v.shape, v.strides, steps):
        total.data[target] += v.data[v.start + source]
    return contiguous(total.data, [n for k, n in enumerate(v.shape) if k not in gone])


# %% exercise="summed" says="keepdims is False" loses=["summed-one-axis", "summed-axes"]
def summed(v, axis=None, keepdims=False):
    rank = len(v.shape)
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % rank for k in axes}
    kept = tuple(1 if k in gone else n for k, n in enumerate(v.shape))
    total = contiguous([0] * math.prod(kept), kept)
    steps = tuple(0 if k in gone else step for k, step in enumerate(total.strides))
    for source, target in walk(v.shape, v.strides, steps):
        total.data[target] += v.data[v.start + source]
    return total


# %% exercise="summed" says="The view's start was forgotten" loses=["summed-one-axis"]
def summed(v, axis=None, keepdims=False):
    rank = len(v.shape)
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % rank for k in axes}
    kept = tuple(1 if k in gone else n for k, n in enumerate(v.shape))
    total = contiguous([0] * math.prod(kept), kept)
    steps = tuple(0 if k in gone else step for k, step in enumerate(total.strides))
    for source, target in walk(v.shape, v.strides, steps):
        total.data[target] += v.data[source]
    return total if keepdims else contiguous(total.data, [n for k, n in enumerate(v.shape) if k not in gone])


# %% exercise="summed" says="A view is walked by its own strides" loses=["summed-one-axis"]
def summed(v, axis=None, keepdims=False):
    rank = len(v.shape)
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % rank for k in axes}
    kept = tuple(1 if k in gone else n for k, n in enumerate(v.shape))
    total = contiguous([0] * math.prod(kept), kept)
    steps = tuple(0 if k in gone else step for k, step in enumerate(total.strides))
    for source, target in walk(v.shape, contiguous([], v.shape).strides, steps):
        total.data[target] += v.data[v.start + source]
    return total if keepdims else contiguous(total.data, [n for k, n in enumerate(v.shape) if k not in gone])


# %% exercise="summed" says="That is the mean" loses=["summed-one-axis", "summed-axes"]
def summed(v, axis=None, keepdims=False):
    rank = len(v.shape)
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % rank for k in axes}
    kept = tuple(1 if k in gone else n for k, n in enumerate(v.shape))
    total = contiguous([0.0] * math.prod(kept), kept)
    steps = tuple(0 if k in gone else step for k, step in enumerate(total.strides))
    for source, target in walk(v.shape, v.strides, steps):
        total.data[target] += v.data[v.start + source] * math.prod(kept) / math.prod(v.shape)
    return total if keepdims else contiguous(total.data, [n for k, n in enumerate(v.shape) if k not in gone])


# %% exercise="gather" says="in which order, and how often" loses=["gather-gathered"]
def gathered(v, indices, axis):
    wanted = {i % v.shape[axis] for i in indices if -v.shape[axis] <= i < v.shape[axis] or offset(v, (i,) * 9)}
    shape = (*v.shape[:axis], len(wanted), *v.shape[axis + 1 :])
    data = [v.data[offset(v, index)] for index in itertools.product(*map(range, v.shape)) if index[axis] in wanted]
    return contiguous(data, shape)


def picked(logits, tokens):
    texts, places, _ = logits.shape
    return logits[jnp.arange(texts)[:, None], jnp.arange(places), tokens]


# %% exercise="gather" says="as JAX does" loses=["gather-gathered"]
def gathered(v, indices, axis):
    shape = (*v.shape[:axis], len(indices), *v.shape[axis + 1 :])
    data = []
    for index in itertools.product(*map(range, shape)):
        n, i = v.shape[axis], indices[index[axis]]
        i = min(max(i + n if i < 0 else i, 0), n - 1)
        data.append(v.data[offset(v, (*index[:axis], i, *index[axis + 1 :]))])
    return contiguous(data, shape)


def picked(logits, tokens):
    texts, places, _ = logits.shape
    return logits[jnp.arange(texts)[:, None], jnp.arange(places), tokens]


# %% exercise="gather" says="A view is walked by its own strides" loses=["gather-gathered"]
def gathered(v, indices, axis):
    plain = View(v.data, v.shape, strides_of(v.shape), v.start)
    shape = (*v.shape[:axis], len(indices), *v.shape[axis + 1 :])
    data = []
    for index in itertools.product(*map(range, shape)):
        data.append(v.data[offset(plain, (*index[:axis], indices[index[axis]], *index[axis + 1 :]))])
    return contiguous(data, shape)


def picked(logits, tokens):
    texts, places, _ = logits.shape
    return logits[jnp.arange(texts)[:, None], jnp.arange(places), tokens]


# %% exercise="gather" says="A slice does not move in step with an index" loses=["gather-picked"]
def gathered(v, indices, axis):
    shape = (*v.shape[:axis], len(indices), *v.shape[axis + 1 :])
    data = []
    for index in itertools.product(*map(range, shape)):
        data.append(v.data[offset(v, (*index[:axis], indices[index[axis]], *index[axis + 1 :]))])
    return contiguous(data, shape)


def picked(logits, tokens):
    return logits[:, :, tokens]


# %% exercise="gather" says="Make the texts a column" loses=["gather-picked"]
def gathered(v, indices, axis):
    shape = (*v.shape[:axis], len(indices), *v.shape[axis + 1 :])
    data = []
    for index in itertools.product(*map(range, shape)):
        data.append(v.data[offset(v, (*index[:axis], indices[index[axis]], *index[axis + 1 :]))])
    return contiguous(data, shape)


def picked(logits, tokens):
    texts, places, _ = logits.shape
    return logits[jnp.arange(texts), jnp.arange(places), tokens]


# %% exercise="gather" says="the places need an index of their own" loses=["gather-picked"]
def gathered(v, indices, axis):
    shape = (*v.shape[:axis], len(indices), *v.shape[axis + 1 :])
    data = []
    for index in itertools.product(*map(range, shape)):
        data.append(v.data[offset(v, (*index[:axis], indices[index[axis]], *index[axis + 1 :]))])
    return contiguous(data, shape)


def picked(logits, tokens):
    return logits[jnp.arange(len(logits))[:, None], 0, tokens]


# %% exercise="gather" says="The largest logits were picked" loses=["gather-picked"]
def gathered(v, indices, axis):
    shape = (*v.shape[:axis], len(indices), *v.shape[axis + 1 :])
    data = []
    for index in itertools.product(*map(range, shape)):
        data.append(v.data[offset(v, (*index[:axis], indices[index[axis]], *index[axis + 1 :]))])
    return contiguous(data, shape)


def picked(logits, tokens):
    return logits.max(axis=-1)


# %% exercise="inner" says="that is j" loses=["inner-matrices", "inner-batches"]
def inner(a, b, times, plus):
    return plus(times(a[..., :, :, None], b[..., None, :, :]), axis=-1)


# %% exercise="inner" says="that is i" loses=["inner-matrices", "inner-batches"]
def inner(a, b, times, plus):
    return plus(times(a[..., :, :, None], b[..., None, :, :]), axis=-3)


# %% exercise="inner" says="axes were counted from the front" loses=["inner-batches"]
def inner(a, b, times, plus):
    return plus(times(a[..., :, :, None], b[..., None, :, :]), axis=1)


# %% exercise="inner" says="b needs an axis of its own for i" loses=["inner-batches"]
def inner(a, b, times, plus):
    return plus(times(a[..., None], b), axis=-2)


# %% exercise="inner" says="`times` was called with b first" loses=["inner-matrices"]
def inner(a, b, times, plus):
    return plus(times(b[..., None, :, :], a[..., :, :, None]), axis=-2)


# %% exercise="inner" says="It is `plus` that reduces" loses=["inner-matrices", "inner-batches"]
def inner(a, b, times, plus):
    return times(a[..., :, :, None], b[..., None, :, :]).sum(axis=-2)


# %% exercise="inner" says="whatever `times` and `plus` say" loses=["inner-matrices", "inner-batches"]
def inner(a, b, times, plus):
    return a @ b


# %% exercise="inner" says="is kept with size 1" loses=["inner-matrices", "inner-batches"]
def inner(a, b, times, plus):
    return plus(times(a[..., :, :, None], b[..., None, :, :]), axis=-2, keepdims=True)


# %% exercise="inner" says="the reduction is missing" loses=["inner-matrices", "inner-batches"]
def inner(a, b, times, plus):
    return times(a[..., :, :, None], b[..., None, :, :])


# %% exercise="einsum" says="do not overwrite" loses=["einsum-products", "einsum-views"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ValueError("two sizes")
    if not set(output) <= set(sizes):
        raise ValueError("unknown letter")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        return [sum(step for c, step in zip(term, v.strides) if c == letter) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] = a.data[a.start + p] * b.data[b.start + q]
    return y


# %% exercise="einsum" says="One letter stood for" loses=["einsum-parsed"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            sizes[letter] = n
    if not set(output) <= set(sizes):
        raise ValueError("unknown letter")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        return [sum(step for c, step in zip(term, v.strides) if c == letter) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[a.start + p] * b.data[b.start + q]
    return y


# %% exercise="einsum" says="strict=True does not" loses=["einsum-parsed"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes):
        for letter, n in zip(term, shape):
            if sizes.setdefault(letter, n) != n:
                raise ValueError("two sizes")
    if not set(output) <= set(sizes):
        raise ValueError("unknown letter")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        return [sum(step for c, step in zip(term, v.strides) if c == letter) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[a.start + p] * b.data[b.start + q]
    return y


# %% exercise="einsum" says="only have letters that some operand has" loses=["einsum-parsed"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ValueError("two sizes")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        return [sum(step for c, step in zip(term, v.strides) if c == letter) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[a.start + p] * b.data[b.start + q]
    return y


# %% exercise="einsum" says="Only letters of the result were given a size" loses=["einsum-parsed", "einsum-products", "einsum-views"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if letter in output and sizes.setdefault(letter, n) != n:
                raise ValueError("two sizes")
    if not set(output) <= set(sizes):
        raise ValueError("unknown letter")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        return [sum(step for c, step in zip(term, v.strides) if c == letter) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[a.start + p] * b.data[b.start + q]
    return y


# %% exercise="einsum" says="in which the formula names them" loses=["einsum-products"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ValueError("two sizes")
    if not set(output) <= set(sizes):
        raise ValueError("unknown letter")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    output = [letter for letter in sizes if letter in output]
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        return [sum(step for c, step in zip(term, v.strides) if c == letter) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[a.start + p] * b.data[b.start + q]
    return y


# %% exercise="einsum" says="along the first of its two axes only" loses=["einsum-views"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ValueError("two sizes")
    if not set(output) <= set(sizes):
        raise ValueError("unknown letter")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        return [v.strides[term.index(letter)] if letter in term else 0 for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[a.start + p] * b.data[b.start + q]
    return y


# %% exercise="einsum" says="along the last of its two axes only" loses=["einsum-views"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ValueError("two sizes")
    if not set(output) <= set(sizes):
        raise ValueError("unknown letter")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        strides = dict(zip(term, v.strides))
        return [strides.get(letter, 0) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[a.start + p] * b.data[b.start + q]
    return y


# %% exercise="einsum" says="The view's start was forgotten" loses=["einsum-views"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ValueError("two sizes")
    if not set(output) <= set(sizes):
        raise ValueError("unknown letter")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        return [sum(step for c, step in zip(term, v.strides) if c == letter) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[p] * b.data[q]
    return y


# %% exercise="einsum" says="The strides were made from the shape" loses=["einsum-views"]
def parsed(formula, *shapes):
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ValueError("two sizes")
    if not set(output) <= set(sizes):
        raise ValueError("unknown letter")
    return terms, output, sizes


def einsum(formula, a, b):
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        strides = strides_of(v.shape)
        return [sum(step for c, step in zip(term, strides) if c == letter) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[a.start + p] * b.data[b.start + q]
    return y
