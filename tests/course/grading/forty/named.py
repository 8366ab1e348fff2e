# Notebook 02 with a name for every rule.
# ruff: noqa

# %% scalar_rules
def scalar_rules():
    def same(g, y, a, b):
        return g

    def opposite(g, y, a, b):
        return -g

    def times_b(g, y, a, b):
        return g * b

    def times_a(g, y, a, b):
        return g * a

    def bend(g, y, a):
        return g - g * y * y

    return {"add": (same, same), "subtract": (same, opposite), "multiply": (times_b, times_a), "tanh": (bend,)}


# %% scalar_backward
def scalar_backward(tape, rules):
    gradients = [0.0 for row in tape]
    position = len(tape) - 1
    gradients[position] = 1.0
    while position >= 0:
        row = tape[position]
        inputs = [tape[number].value for number in row.args]
        for rule, number in zip(rules.get(row.op, ()), row.args):
            gradients[number] = gradients[number] + rule(gradients[position], row.value, *inputs)
        position -= 1
    return gradients


# %% central_difference
def central_difference(f, x, v, h):
    step = h * v
    ahead = f(x + step)
    behind = f(x - step)
    return (ahead - behind) / (2 * h)


# %% elementwise_rules
def elementwise_rules():
    def quotient_by_a(g, y, a, b):
        return g / b

    def quotient_by_b(g, y, a, b):
        return -g * a / (b * b)

    def exponential(g, y, a):
        return g * y

    def logarithm(g, y, a):
        return g / a

    def only_above_zero(g, y, a):
        return g * (a > 0)

    return {
        "divide": (quotient_by_a, quotient_by_b),
        "exp": (exponential,),
        "log": (logarithm,),
        "relu": (only_above_zero,),
    }


# %% unbroadcast
def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


# %% matrix_rules
def matrix_rules():
    def spread(g, y, a, axis, keepdims):
        shape = list(a.shape)
        for i in axes_of(axis, a.ndim):
            shape[i] = 1
        return broadcast_to(g.reshape(tuple(shape)), a.shape)

    def product_by_a(g, y, a, b):
        return g @ b.mT

    def product_by_b(g, y, a, b):
        return a.mT @ g

    return {"sum": (spread,), "matmul": (product_by_a, product_by_b)}


# %% record
def record(tape, primitive, args, params):
    plain = [tape.unbox(argument) for argument in args]
    result = tape.box(primitive(*plain, **params))
    entry = Entry(primitive=primitive, args=args, params=params, y=result)
    tape.entries.append(entry)
    return entry.y


# %% backward
def backward(tape, cotangents):
    for entry in reversed(tape.entries):
        g = cotangents.get(id(entry.y))
        if g is None:
            continue
        wanted = [watches(tape, argument) for argument in entry.args]
        values = [tape.unbox(argument) for argument in entry.args]
        shares = entry.primitive.vjp(g, tape.unbox(entry.y), values, entry.params, wanted)
        for argument, share in zip(entry.args, shares):
            if share is None:
                continue
            before = cotangents.get(id(argument))
            cotangents[id(argument)] = share if before is None else before + share
    return cotangents


# %% vjp
def vjp(fun, *primals):
    tape = Tape()
    boxes = [tape.box(primal) for primal in primals]
    result = fun(*boxes)

    def gradient_of(box, received):
        if id(box) in received:
            return received[id(box)]
        return jnp.zeros(box.shape, box.dtype)

    def pullback(g):
        received = backward(tape, {id(result): g})
        return tuple(gradient_of(box, received) for box in boxes)

    return tape.unbox(result), pullback


# %% value_and_grad
def value_and_grad(fun):
    def value_and_grad_fun(params, *rest):
        leaves, structure = jax.tree.flatten(params)

        def of_leaves(*leaves):
            return fun(structure.unflatten(leaves), *rest)

        value, pullback = vjp(of_leaves, *leaves)
        one = jnp.ones(value.shape, value.dtype)
        return value, structure.unflatten(pullback(one))

    return value_and_grad_fun


def grad(fun):
    def grad_fun(*args):
        value, gradients = value_and_grad(fun)(*args)
        return gradients

    return grad_fun


# %% softmax_rules
def softmax_rules():
    def of_softmax(g, y, x, axis):
        mean = (g * y).sum(axis=axis, keepdims=True)
        return y * (g - mean)

    def of_log_softmax(g, y, x, axis):
        probabilities = ops.exp(y)
        return g - probabilities * g.sum(axis=axis, keepdims=True)

    return {"softmax": (of_softmax,), "log_softmax": (of_log_softmax,)}
