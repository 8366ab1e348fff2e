# Notebook 02 one step at a time: loops and conditions, no lambda, no comprehension.
# ruff: noqa

# %% scalar_rules
def scalar_rules():
    def product(number):
        def rule(g, y, a, b):
            if number == 0:
                other = b
            else:
                other = a
            return other * g

        return rule

    def passes_on(factor):
        def rule(g, y, a, b):
            return g * factor

        return rule

    def tanh_rule(g, y, a):
        slope = 1 - y * y
        return slope * g

    table = {}
    table["add"] = (passes_on(1), passes_on(1))
    table["subtract"] = (passes_on(1), passes_on(-1))
    table["multiply"] = (product(0), product(1))
    table["tanh"] = (tanh_rule,)
    return table


# %% scalar_backward
def scalar_backward(tape, rules):
    grads = []
    for _ in tape:
        grads.append(0.0)
    grads[-1] = 1.0
    for i in range(len(tape) - 1, -1, -1):
        values = []
        for arg in tape[i].args:
            values.append(tape[arg].value)
        for k in range(len(tape[i].args)):
            share = rules[tape[i].op][k](grads[i], tape[i].value, *values)
            grads[tape[i].args[k]] += share
    return grads


# %% central_difference
def central_difference(f, x, v, h):
    total = 0.0
    for sign in (1, -1):
        total = total + sign * f(x + sign * h * v)
    return total / (h + h)


# %% elementwise_rules
def elementwise_rules():
    table = {}

    def first(g, y, a, b):
        return g / b

    def second(g, y, a, b):
        result = g * y
        result = result / b
        return -result

    table["divide"] = (first, second)

    def rule(g, y, a):
        return y * g

    table["exp"] = (rule,)

    def rule(g, y, a):
        return g / a

    table["log"] = (rule,)

    def rule(g, y, a):
        return (a > 0) * g

    table["relu"] = (rule,)
    return table


# %% unbroadcast
def unbroadcast(g, shape):
    wanted = []
    for _ in range(g.ndim - len(shape)):
        wanted.append(1)
    for n in shape:
        wanted.append(n)
    for axis in range(g.ndim):
        if wanted[axis] == 1 and g.shape[axis] != 1:
            g = g.sum(axis=axis, keepdims=True)
    return g.reshape(shape)


# %% matrix_rules
def matrix_rules():
    def sum_rule(g, y, a, axis, keepdims):
        axes = axes_of(axis, a.ndim)
        shape = ()
        for i in range(a.ndim):
            if i in axes:
                shape = shape + (1,)
            else:
                shape = shape + (a.shape[i],)
        return broadcast_to(g.reshape(shape), a.shape)

    def left(g, y, a, b):
        transposed = b.mT
        return g @ transposed

    def right(g, y, a, b):
        transposed = a.mT
        return transposed @ g

    table = {}
    table["sum"] = (sum_rule,)
    table["matmul"] = (left, right)
    return table


# %% record
def record(tape, primitive, args, params):
    values = []
    for arg in args:
        values.append(tape.unbox(arg))
    value = primitive(*values, **params)
    y = tape.box(value)
    tape.entries.append(Entry(primitive, args, params, y))
    return y


# %% backward
def backward(tape, cotangents):
    number = len(tape.entries)
    while number > 0:
        number = number - 1
        entry = tape.entries[number]
        if id(entry.y) in cotangents:
            values, needed = [], []
            for arg in entry.args:
                values.append(tape.unbox(arg))
                needed.append(watches(tape, arg))
            g = cotangents[id(entry.y)]
            pulled = entry.primitive.vjp(g, tape.unbox(entry.y), values, entry.params, needed)
            for k in range(len(entry.args)):
                if needed[k]:
                    key = id(entry.args[k])
                    if key in cotangents:
                        cotangents[key] = cotangents[key] + pulled[k]
                    else:
                        cotangents[key] = pulled[k]
    return cotangents


# %% vjp
def vjp(fun, *primals):
    tape = Tape()
    inputs = []
    for x in primals:
        inputs.append(tape.box(x))
    y = fun(*inputs)

    def pullback(g):
        start = {}
        start[id(y)] = g
        found = backward(tape, start)
        result = []
        for x in inputs:
            if id(x) not in found:
                result.append(jnp.zeros(x.shape, x.dtype))
            else:
                result.append(found[id(x)])
        return tuple(result)

    return tape.unbox(y), pullback


# %% value_and_grad
def value_and_grad(fun):
    def value_and_grad_fun(params, *rest):
        leaves, treedef = jax.tree.flatten(params)

        def on_leaves(*changed):
            tree = treedef.unflatten(changed)
            return fun(tree, *rest)

        pair = vjp(on_leaves, *leaves)
        y = pair[0]
        pullback = pair[1]
        grads = pullback(jnp.ones(y.shape, y.dtype))
        return y, treedef.unflatten(list(grads))

    return value_and_grad_fun


def grad(fun):
    def only_the_gradient(*args):
        return value_and_grad(fun)(*args)[1]

    return only_the_gradient


# %% softmax_rules
def softmax_rules():
    def softmax_rule(g, y, x, axis):
        weighted = g * y
        total = weighted.sum(axis=axis, keepdims=True)
        return weighted - y * total

    def log_softmax_rule(g, y, x, axis):
        total = g.sum(axis=axis, keepdims=True)
        p = ops.exp(y)
        return g - total * p

    table = {}
    table["softmax"] = (softmax_rule,)
    table["log_softmax"] = (log_softmax_rule,)
    return table
