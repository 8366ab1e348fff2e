# Notebook 02 as short as it gets.
# ruff: noqa

# %% scalar_rules
def scalar_rules():
    g_ = lambda g, y, a, b: g
    return dict(
        add=(g_, g_),
        subtract=(g_, lambda g, *_: -g),
        multiply=(lambda g, y, a, b: b * g, lambda g, y, a, b: a * g),
        tanh=(lambda g, y, a: (1 + y) * (1 - y) * g,),
    )


# %% scalar_backward
def scalar_backward(tape, rules):
    grads = [0.0] * (len(tape) - 1) + [1.0]
    for (op, args, y), i in zip(tape[::-1], range(len(tape))[::-1]):
        for k, j in enumerate(args):
            grads[j] += rules[op][k](grads[i], y, *(tape[n].value for n in args))
    return grads


# %% central_difference
central_difference = lambda f, x, v, h: f(x + h * v) / (2 * h) - f(x - h * v) / (2 * h)

# %% elementwise_rules
elementwise_rules = lambda: {
    "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: g * (-y / b)),
    "exp": (lambda g, y, a: y * g,),
    "log": (lambda g, y, a: g / a,),
    "relu": (lambda g, y, a: g * (y > 0),),
}


# %% unbroadcast
def unbroadcast(g, shape):
    padded = (None,) * (g.ndim - len(shape)) + tuple(shape)
    return g.sum(axis=tuple(i for i in range(g.ndim) if padded[i] != g.shape[i])).reshape(shape)


# %% matrix_rules
def matrix_rules():
    kept = lambda a, axes: [(n, 1)[i in axes] for i, n in enumerate(a.shape)]
    return {
        "sum": (lambda g, y, a, axis, keepdims: broadcast_to(g.reshape(kept(a, axes_of(axis, a.ndim))), a.shape),),
        "matmul": (lambda g, y, a, b: (b @ g.mT).mT, lambda g, y, a, b: (g.mT @ a).mT),
    }


# %% record
def record(tape, primitive, args, params):
    tape.entries.append(Entry(primitive, args, params, tape.box(primitive(*map(tape.unbox, args), **params))))
    return tape.entries[-1].y


# %% backward
def backward(tape, cotangents):
    for f, args, params, y in tape.entries[::-1]:
        if (g := cotangents.get(id(y))) is not None:
            mine = [watches(tape, a) for a in args]
            for a, d in zip(args, f.vjp(g, tape.unbox(y), [*map(tape.unbox, args)], params, mine)):
                if d is not None:
                    cotangents[id(a)] = d if (c := cotangents.get(id(a))) is None else c + d
    return cotangents


# %% vjp
def vjp(fun, *primals):
    tape = Tape()
    y = fun(*(inputs := [*map(tape.box, primals)]))
    zeros = lambda x: jnp.zeros(x.shape, x.dtype)
    return tape.unbox(y), lambda g: tuple(c.get(id(x), zeros(x)) for c in [backward(tape, {id(y): g})] for x in inputs)


# %% value_and_grad
def value_and_grad(fun):
    def value_and_grad_fun(params, *rest):
        leaves, tree = jax.tree.flatten(params)
        y, back = vjp(lambda *l: fun(tree.unflatten(l), *rest), *leaves)
        return y, tree.unflatten(back(jnp.ones(y.shape, y.dtype)))

    return value_and_grad_fun


grad = lambda fun: lambda *args: value_and_grad(fun)(*args)[1]

# %% softmax_rules
softmax_rules = lambda: {
    "softmax": (lambda g, y, x, axis: (g - (y * g).sum(axis=axis, keepdims=True)) * y,),
    "log_softmax": (lambda g, y, x, axis: g - g.sum(axis=axis, keepdims=True) * ops.exp(y),),
}
