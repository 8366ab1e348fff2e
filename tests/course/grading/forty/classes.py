# Notebook 02 by somebody who comes from another language: classes wherever there is a choice, and types.
# ruff: noqa

# %% scalar_rules
class Rules:
    """The table of exercise 1."""

    @staticmethod
    def add_a(g: float, y: float, a: float, b: float) -> float:
        return g

    add_b = add_a

    @staticmethod
    def subtract_b(g: float, y: float, a: float, b: float) -> float:
        return 0.0 * g - g

    @staticmethod
    def multiply_a(g: float, y: float, a: float, b: float) -> float:
        return b * g

    @staticmethod
    def multiply_b(g: float, y: float, a: float, b: float) -> float:
        return a * g

    @staticmethod
    def tanh_a(g: float, y: float, a: float) -> float:
        square = y * y
        return g * (1.0 - square)


def scalar_rules() -> dict:
    return {
        "add": (Rules.add_a, Rules.add_b),
        "subtract": (Rules.add_a, Rules.subtract_b),
        "multiply": (Rules.multiply_a, Rules.multiply_b),
        "tanh": (Rules.tanh_a,),
    }


# %% scalar_backward
class Walk:
    def __init__(self, tape: list, rules: dict):
        self.tape, self.rules = tape, rules
        self.received = {number: 0.0 for number in range(len(tape))}
        self.received[len(tape) - 1] = 1.0

    def visit(self, number: int) -> None:
        op, args, y = self.tape[number]
        inputs = tuple(self.tape[arg].value for arg in args)
        for which, arg in enumerate(args):
            self.received[arg] += self.rules[op][which](self.received[number], y, *inputs)

    def run(self) -> list:
        for number in sorted(self.received, reverse=True):
            self.visit(number)
        return [self.received[number] for number in range(len(self.tape))]


def scalar_backward(tape: list, rules: dict) -> list:
    return Walk(tape, rules).run()


# %% central_difference
class Slope:
    def __init__(self, f, h):
        self.f, self.h = f, h

    def __call__(self, x, v):
        points = x - self.h * v, x + self.h * v
        values = tuple(map(self.f, points))
        return 0.5 * (values[1] - values[0]) / self.h


def central_difference(f, x, v, h):
    return Slope(f, h)(x, v)


# %% elementwise_rules
class Divide:
    def by_a(g, y, a, b):
        return g / b

    def by_b(g, y, a, b):
        return -1.0 * g * y / b


class Single:
    def exp(g, y, a):
        return g * y

    def log(g, y, a):
        return 1.0 / a * g

    def relu(g, y, a):
        return g * (a > 0.0)


def elementwise_rules() -> dict:
    table = {name: (vars(Single)[name],) for name in ("exp", "log", "relu")}
    table["divide"] = (Divide.by_a, Divide.by_b)
    return table


# %% unbroadcast
class Shape:
    """A shape, aligned from the right with a longer one."""

    def __init__(self, shape, ndim):
        self.lengths = [1] * (ndim - len(shape)) + list(shape)

    def stretched_to(self, other):
        return [i for i, (mine, theirs) in enumerate(zip(self.lengths, other)) if mine != theirs]


def unbroadcast(g, shape):
    repeated = Shape(shape, g.ndim).stretched_to(g.shape)
    if repeated:
        g = g.sum(axis=tuple(repeated))
    return g.reshape(shape)


# %% matrix_rules
class Sum:
    def __call__(self, g, y, a, axis, keepdims):
        gone = set(axes_of(axis, a.ndim))
        with_ones = tuple(1 if i in gone else a.shape[i] for i in range(a.ndim))
        return g.reshape(with_ones) * jnp.ones(a.shape, a.dtype)


class Product:
    @staticmethod
    def left(g, y, a, b):
        return g @ b.mT

    @staticmethod
    def right(g, y, a, b):
        return a.mT @ g


def matrix_rules() -> dict:
    return {"sum": (Sum(),), "matmul": (Product.left, Product.right)}


# %% record
class Recorder:
    def __init__(self, tape):
        self.tape = tape

    def plain(self, args):
        return tuple(self.tape.unbox(arg) for arg in args)

    def append(self, primitive, args, params, y):
        self.tape.entries.append(Entry(primitive, args, params, y))
        return y


def record(tape, primitive, args, params):
    recorder = Recorder(tape)
    value = primitive(*recorder.plain(args), **params)
    return recorder.append(primitive, args, params, tape.box(value))


# %% backward
class Received(dict):
    def add(self, tensor, g):
        key = id(tensor)
        self[key] = self[key] + g if key in self else g


def backward(tape, cotangents):
    received = Received(cotangents)
    for primitive, args, params, y in reversed(list(tape.entries)):
        if id(y) in received:
            watched = [watches(tape, arg) for arg in args]
            plain = [tape.unbox(arg) for arg in args]
            pulled = primitive.vjp(received[id(y)], tape.unbox(y), plain, params, watched)
            for arg, g, wanted in zip(args, pulled, watched):
                if wanted:
                    received.add(arg, g)
    return received


# %% vjp
class Pullback:
    def __init__(self, tape, inputs, y):
        self.tape, self.inputs, self.y = tape, inputs, y

    def __call__(self, g):
        received = backward(self.tape, {id(self.y): g})
        return tuple(self.of(received, x) for x in self.inputs)

    @staticmethod
    def of(received, x):
        try:
            return received[id(x)]
        except KeyError:
            return jnp.zeros(x.shape, dtype=x.dtype)


def vjp(fun, *primals):
    tape = Tape()
    inputs = tuple(map(tape.box, primals))
    y = fun(*inputs)
    return tape.unbox(y), Pullback(tape, inputs, y)


# %% value_and_grad
class Differentiated:
    def __init__(self, fun):
        self.fun = fun

    def __call__(self, params, *rest):
        leaves, treedef = jax.tree.flatten(params)
        value, pullback = vjp(lambda *given: self.fun(treedef.unflatten(given), *rest), *leaves)
        gradients = pullback(jnp.ones(value.shape, dtype=value.dtype))
        return value, treedef.unflatten(gradients)


def value_and_grad(fun):
    return Differentiated(fun)


def grad(fun):
    differentiated = Differentiated(fun)
    return lambda params, *rest: differentiated(params, *rest)[1]


# %% softmax_rules
class Along:
    """Sums along the axis of a rule, which stays."""

    def __init__(self, axis):
        self.axis = axis

    def sum(self, x):
        return x.sum(axis=self.axis, keepdims=True)


def softmax_rules() -> dict:
    def softmax(g, y, x, axis):
        return y * g - y * Along(axis).sum(y * g)

    def log_softmax(g, y, x, axis):
        return g - Along(axis).sum(g) * ops.exp(y)

    return {"softmax": (softmax,), "log_softmax": (log_softmax,)}
