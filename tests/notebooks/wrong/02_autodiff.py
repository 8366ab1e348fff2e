# %% exercise="scalar_rules" says="Look at the sign of the second rule" loses=["scalar_rules-arithmetic", "value_and_grad-second-order"]
def scalar_rules():
    return {
        "add": (lambda g, y, a, b: g, lambda g, y, a, b: g),
        "subtract": (lambda g, y, a, b: g, lambda g, y, a, b: g),
        "multiply": (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
        "tanh": (lambda g, y, a: g * (1 - y * y),),
    }


# %% exercise="scalar_rules" says="It must be g times the *other* one" loses=["scalar_rules-arithmetic", "vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def scalar_rules():
    return {
        "add": (lambda g, y, a, b: g, lambda g, y, a, b: g),
        "subtract": (lambda g, y, a, b: g, lambda g, y, a, b: -g),
        "multiply": (lambda g, y, a, b: g * a, lambda g, y, a, b: g * b),
        "tanh": (lambda g, y, a: g * (1 - y * y),),
    }


# %% exercise="scalar_rules" says="You squared the input" loses=["scalar_rules-tanh", "value_and_grad-second-order"]
def scalar_rules():
    return {
        "add": (lambda g, y, a, b: g, lambda g, y, a, b: g),
        "subtract": (lambda g, y, a, b: g, lambda g, y, a, b: -g),
        "multiply": (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
        "tanh": (lambda g, y, a: g * (1 - a * a),),
    }


# %% exercise="scalar_rules" says="the rule returns the slope without g" loses=["scalar_rules-arithmetic", "scalar_rules-tanh", "vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def scalar_rules():
    return {
        "add": (lambda g, y, a, b: 1.0, lambda g, y, a, b: 1.0),
        "subtract": (lambda g, y, a, b: 1.0, lambda g, y, a, b: -1.0),
        "multiply": (lambda g, y, a, b: b, lambda g, y, a, b: a),
        "tanh": (lambda g, y, a: 1 - y * y,),
    }


# %% exercise="scalar_rules" says="y must be squared" loses=["scalar_rules-tanh", "value_and_grad-second-order"]
def scalar_rules():
    return {
        "add": (lambda g, y, a, b: g, lambda g, y, a, b: g),
        "subtract": (lambda g, y, a, b: g, lambda g, y, a, b: -g),
        "multiply": (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
        "tanh": (lambda g, y, a: g * (1 - y),),
    }


# %% exercise="scalar_backward" says="do not overwrite" loses=["scalar_backward-adds-up"]
def scalar_backward(tape, rules):
    grads = [0.0] * len(tape)
    grads[-1] = 1.0
    for i in reversed(range(len(tape))):
        op, args, y = tape[i]
        values = [tape[arg].value for arg in args]
        for k, arg in enumerate(args):
            grads[arg] = rules[op][k](grads[i], y, *values)
    return grads


# %% exercise="scalar_backward" says="go backwards" loses=["scalar_backward-walk", "scalar_backward-adds-up"]
def scalar_backward(tape, rules):
    grads = [0.0] * len(tape)
    grads[-1] = 1.0
    for i in range(len(tape)):
        op, args, y = tape[i]
        values = [tape[arg].value for arg in args]
        for k, arg in enumerate(args):
            grads[arg] += rules[op][k](grads[i], y, *values)
    return grads


# %% exercise="scalar_backward" says="The last row starts with 1.0" loses=["scalar_backward-walk", "scalar_backward-adds-up"]
def scalar_backward(tape, rules):
    grads = [0.0] * len(tape)
    for i in reversed(range(len(tape))):
        op, args, y = tape[i]
        values = [tape[arg].value for arg in args]
        for k, arg in enumerate(args):
            grads[arg] += rules[op][k](grads[i], y, *values)
    return grads


# %% exercise="scalar_backward" says="its gradient is 1.0" loses=["scalar_backward-walk", "scalar_backward-adds-up"]
def scalar_backward(tape, rules):
    grads = [0.0] * len(tape)
    grads[-1] = tape[-1].value
    for i in reversed(range(len(tape))):
        op, args, y = tape[i]
        values = [tape[arg].value for arg in args]
        for k, arg in enumerate(args):
            grads[arg] += rules[op][k](grads[i], y, *values)
    return grads


# %% exercise="scalar_backward" says="There is a rule for each argument" loses=["scalar_backward-walk", "scalar_backward-adds-up"]
def scalar_backward(tape, rules):
    grads = [0.0] * len(tape)
    grads[-1] = 1.0
    for i in reversed(range(len(tape))):
        op, args, y = tape[i]
        values = [tape[arg].value for arg in args]
        if args:
            grads[args[0]] += rules[op][0](grads[i], y, *values)
    return grads


# %% exercise="central_difference" says="Step to both sides" loses=["central_difference-measured"]
def central_difference(f, x, v, h):
    return (f(x + h * v) - f(x)) / h


# %% exercise="central_difference" says="2 h apart" loses=["central_difference-measured"]
def central_difference(f, x, v, h):
    return (f(x + h * v) - f(x - h * v)) / h


# %% exercise="central_difference" says="Divide by the distance" loses=["central_difference-measured"]
def central_difference(f, x, v, h):
    return f(x + h * v) - f(x - h * v)


# %% exercise="central_difference" says="The direction v is missing" loses=["central_difference-measured"]
def central_difference(f, x, v, h):
    return (f(x + h) - f(x - h)) / (2 * h)


# %% exercise="central_difference" says="sign" loses=["central_difference-measured"]
def central_difference(f, x, v, h):
    return (f(x - h * v) - f(x + h * v)) / (2 * h)


# %% exercise="elementwise_rules" says="divide: the second rule has the wrong sign" loses=["elementwise_rules-divide"]
def elementwise_rules():
    return {
        "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: g * y / b),
        "exp": (lambda g, y, a: g * y,),
        "log": (lambda g, y, a: g / a,),
        "relu": (lambda g, y, a: g * (a > 0),),
    }


# %% exercise="elementwise_rules" says="one division by b is missing" loses=["elementwise_rules-divide"]
def elementwise_rules():
    return {
        "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y),
        "exp": (lambda g, y, a: g * y,),
        "log": (lambda g, y, a: g / a,),
        "relu": (lambda g, y, a: g * (a > 0),),
    }


# %% exercise="elementwise_rules" says="exp: the slope is the result y" loses=["elementwise_rules-one-argument"]
def elementwise_rules():
    return {
        "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
        "exp": (lambda g, y, a: g * a,),
        "log": (lambda g, y, a: g / a,),
        "relu": (lambda g, y, a: g * (a > 0),),
    }


# %% exercise="elementwise_rules" says="log: the slope is 1 / a" loses=["elementwise_rules-one-argument"]
def elementwise_rules():
    return {
        "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
        "exp": (lambda g, y, a: g * y,),
        "log": (lambda g, y, a: g * a,),
        "relu": (lambda g, y, a: g * (a > 0),),
    }


# %% exercise="elementwise_rules" says="compare with > and not with >=" loses=["elementwise_rules-one-argument"]
def elementwise_rules():
    return {
        "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
        "exp": (lambda g, y, a: g * y,),
        "log": (lambda g, y, a: g / a,),
        "relu": (lambda g, y, a: g * (a >= 0),),
    }


# %% exercise="elementwise_rules" says="however large a is" loses=["elementwise_rules-one-argument"]
def elementwise_rules():
    return {
        "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
        "exp": (lambda g, y, a: g * y,),
        "log": (lambda g, y, a: g / a,),
        "relu": (lambda g, y, a: g * y,),
    }


# %% exercise="elementwise_rules" says="with a comma" loses=["elementwise_rules-one-argument"]
def elementwise_rules():
    return {
        "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
        "exp": (lambda g, y, a: g * y),
        "log": (lambda g, y, a: g / a),
        "relu": (lambda g, y, a: g * (a > 0)),
    }


# %% exercise="unbroadcast" says="An axis of length 1 was stretched too" loses=["unbroadcast-length-one"]
def unbroadcast(g, shape):
    return g.sum(axis=tuple(range(g.ndim - len(shape))))


# %% exercise="unbroadcast" says="keep the axis of length 1" loses=["unbroadcast-length-one"]
def unbroadcast(g, shape):
    new = g.ndim - len(shape)
    return g.sum(axis=tuple(i for i, n in enumerate(g.shape) if i < new or n != shape[i - new]))


# %% exercise="unbroadcast" says="That is the mean" loses=["unbroadcast-missing-axes", "unbroadcast-length-one", "value_and_grad-tree"]
def unbroadcast(g, shape):
    new = g.ndim - len(shape)
    return g.mean(axis=tuple(i for i, n in enumerate(g.shape) if i < new or n != shape[i - new])).reshape(shape)


# %% exercise="unbroadcast" says="All copies were used: add them" loses=["unbroadcast-missing-axes", "unbroadcast-length-one", "value_and_grad-tree"]
def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g[0]
    for i, n in enumerate(shape):
        if n == 1:
            g = jnp.take(g, jnp.array([0]), axis=i)
    return g


# %% exercise="unbroadcast" says="Shapes are compared from the right" loses=["unbroadcast-missing-axes"]
def unbroadcast(g, shape):
    padded = (*shape, *[1] * (g.ndim - len(shape)))
    return g.sum(axis=tuple(i for i, n in enumerate(g.shape) if n != padded[i])).reshape(shape)


# %% exercise="matrix_rules" says="the lost axis must come back at its own place" loses=["matrix_rules-sum"]
def matrix_rules():
    def sum_rule(g, y, a, axis, keepdims):
        return broadcast_to(g, a.shape)

    return {"sum": (sum_rule,), "matmul": (lambda g, y, a, b: g @ b.mT, lambda g, y, a, b: a.mT @ g)}


# %% exercise="matrix_rules" says="a negative axis counts from the end" loses=["matrix_rules-sum"]
def matrix_rules():
    def sum_rule(g, y, a, axis, keepdims):
        if axis is None or isinstance(axis, tuple) or keepdims:
            return broadcast_to(g, a.shape)
        kept = [1 if i == axis else n for i, n in enumerate(a.shape)]
        return broadcast_to(g.reshape(kept) if axis >= 0 else g, a.shape)

    return {"sum": (sum_rule,), "matmul": (lambda g, y, a, b: g @ b.mT, lambda g, y, a, b: a.mT @ g)}


# %% exercise="matrix_rules" says="That is the rule of the mean" loses=["matrix_rules-sum", "value_and_grad-tree", "value_and_grad-second-order"]
def matrix_rules():
    def sum_rule(g, y, a, axis, keepdims):
        summed = axes_of(axis, a.ndim)
        kept = tuple(1 if i in summed else n for i, n in enumerate(a.shape))
        return broadcast_to(g.reshape(kept), a.shape) / math.prod(a.shape[i] for i in summed)

    return {"sum": (sum_rule,), "matmul": (lambda g, y, a, b: g @ b.mT, lambda g, y, a, b: a.mT @ g)}


# %% exercise="matrix_rules" says="g was multiplied by a" loses=["matrix_rules-sum", "value_and_grad-tree", "value_and_grad-second-order"]
def matrix_rules():
    def sum_rule(g, y, a, axis, keepdims):
        summed = axes_of(axis, a.ndim)
        kept = tuple(1 if i in summed else n for i, n in enumerate(a.shape))
        return g.reshape(kept) * a

    return {"sum": (sum_rule,), "matmul": (lambda g, y, a, b: g @ b.mT, lambda g, y, a, b: a.mT @ g)}


# %% exercise="matrix_rules" says="a factor is not transposed" loses=["matrix_rules-matmul"]
def matrix_rules():
    def sum_rule(g, y, a, axis, keepdims):
        summed = axes_of(axis, a.ndim)
        kept = tuple(1 if i in summed else n for i, n in enumerate(a.shape))
        return broadcast_to(g.reshape(kept), a.shape)

    return {"sum": (sum_rule,), "matmul": (lambda g, y, a, b: g @ b, lambda g, y, a, b: a @ g)}


# %% exercise="matrix_rules" says="the order of the factors is wrong" loses=["matrix_rules-matmul"]
def matrix_rules():
    def sum_rule(g, y, a, axis, keepdims):
        summed = axes_of(axis, a.ndim)
        kept = tuple(1 if i in summed else n for i, n in enumerate(a.shape))
        return broadcast_to(g.reshape(kept), a.shape)

    return {"sum": (sum_rule,), "matmul": (lambda g, y, a, b: b.mT @ g, lambda g, y, a, b: g @ a.mT)}


# %% exercise="matrix_rules" says="the two rules are exchanged" loses=["matrix_rules-matmul"]
def matrix_rules():
    def sum_rule(g, y, a, axis, keepdims):
        summed = axes_of(axis, a.ndim)
        kept = tuple(1 if i in summed else n for i, n in enumerate(a.shape))
        return broadcast_to(g.reshape(kept), a.shape)

    return {"sum": (sum_rule,), "matmul": (lambda g, y, a, b: a.mT @ g, lambda g, y, a, b: g @ b.mT)}


# %% exercise="record" says="Nothing was appended to tape.entries" loses=["record-entry", "record-nested", "vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def record(tape, primitive, args, params):
    return tape.box(primitive(*map(tape.unbox, args), **params))


# %% exercise="record" says="The entry holds values" loses=["record-entry", "vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def record(tape, primitive, args, params):
    args = tuple(map(tape.unbox, args))
    y = tape.box(primitive(*args, **params))
    tape.entries.append(Entry(primitive, args, params, y))
    return y


# %% exercise="record" says="are two objects" loses=["record-entry", "vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def record(tape, primitive, args, params):
    y = primitive(*map(tape.unbox, args), **params)
    tape.entries.append(Entry(primitive, args, params, tape.box(y)))
    return tape.box(y)


# %% exercise="record" says="The result is a plain array" loses=["record-entry", "record-nested", "vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def record(tape, primitive, args, params):
    y = primitive(*map(tape.unbox, args), **params)
    tape.entries.append(Entry(primitive, args, params, y))
    return y


# %% exercise="record" says="The outer tape saw nothing" loses=["record-nested", "value_and_grad-second-order"]
def record(tape, primitive, args, params):
    plain = list(args)
    for i, a in enumerate(plain):
        while isinstance(a, Tensor):
            a = a.value
        plain[i] = a
    y = tape.box(primitive(*plain, **params))
    tape.entries.append(Entry(primitive, args, params, y))
    return y


# %% exercise="record" says="The parameters were not handed on" loses=["record-entry"]
def record(tape, primitive, args, params):
    y = tape.box(primitive(*map(tape.unbox, args)))
    tape.entries.append(Entry(primitive, args, params, y))
    return y


# %% exercise="backward" says="kept only what it received last" loses=["backward-adds-up", "vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def backward(tape, cotangents):
    for primitive, args, params, y in reversed(tape.entries):
        if id(y) not in cotangents:
            continue
        needed = [watches(tape, a) for a in args]
        plain = [tape.unbox(a) for a in args]
        pulled = primitive.vjp(cotangents[id(y)], tape.unbox(y), plain, params, needed)
        for a, g, need in zip(args, pulled, needed):
            if need:
                cotangents[id(a)] = g
    return cotangents


# %% exercise="backward" says="kept only what it received first" loses=["backward-adds-up", "vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def backward(tape, cotangents):
    for primitive, args, params, y in reversed(tape.entries):
        if id(y) not in cotangents:
            continue
        needed = [watches(tape, a) for a in args]
        plain = [tape.unbox(a) for a in args]
        pulled = primitive.vjp(cotangents[id(y)], tape.unbox(y), plain, params, needed)
        for a, g, need in zip(args, pulled, needed):
            if need:
                cotangents.setdefault(id(a), g)
    return cotangents


# %% exercise="backward" says="Reverse it" loses=["backward-walk", "backward-adds-up", "vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def backward(tape, cotangents):
    for primitive, args, params, y in tape.entries:
        if id(y) not in cotangents:
            continue
        needed = [watches(tape, a) for a in args]
        plain = [tape.unbox(a) for a in args]
        pulled = primitive.vjp(cotangents[id(y)], tape.unbox(y), plain, params, needed)
        for a, g, need in zip(args, pulled, needed):
            if need:
                cotangents[id(a)] = cotangents[id(a)] + g if id(a) in cotangents else g
    return cotangents


# %% exercise="backward" says="Skip it and go on" loses=["backward-walk", "value_and_grad-second-order"]
def backward(tape, cotangents):
    for primitive, args, params, y in reversed(tape.entries):
        if id(y) not in cotangents:
            break
        needed = [watches(tape, a) for a in args]
        plain = [tape.unbox(a) for a in args]
        pulled = primitive.vjp(cotangents[id(y)], tape.unbox(y), plain, params, needed)
        for a, g, need in zip(args, pulled, needed):
            if need:
                cotangents[id(a)] = cotangents[id(a)] + g if id(a) in cotangents else g
    return cotangents


# %% exercise="backward" says="look before you read" loses=["backward-walk", "value_and_grad-second-order"]
def backward(tape, cotangents):
    for primitive, args, params, y in reversed(tape.entries):
        needed = [watches(tape, a) for a in args]
        plain = [tape.unbox(a) for a in args]
        pulled = primitive.vjp(cotangents[id(y)], tape.unbox(y), plain, params, needed)
        for a, g, need in zip(args, pulled, needed):
            if need:
                cotangents[id(a)] = cotangents[id(a)] + g if id(a) in cotangents else g
    return cotangents


# %% exercise="vjp" says="nothing was recorded" loses=["vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def vjp(fun, *primals):
    tape = Tape()
    inputs = [tape.box(x) for x in primals]
    y = fun(*primals)

    def pullback(g):
        cotangents = backward(tape, {id(y): g})
        return tuple(cotangents.get(id(x), jnp.zeros(x.shape, x.dtype)) for x in inputs)

    return tape.unbox(y), pullback


# %% exercise="vjp" says="It starts with g at the result" loses=["vjp-pullback"]
def vjp(fun, *primals):
    tape = Tape()
    inputs = [tape.box(x) for x in primals]
    y = fun(*inputs)

    def pullback(g):
        cotangents = backward(tape, {id(y): jnp.ones(y.shape, y.dtype)})
        return tuple(cotangents.get(id(x), jnp.zeros(x.shape, x.dtype)) for x in inputs)

    return tape.unbox(y), pullback


# %% exercise="vjp" says="Return a tuple with one for each of primals" loses=["vjp-pullback", "value_and_grad-tree", "value_and_grad-second-order"]
def vjp(fun, *primals):
    tape = Tape()
    inputs = [tape.box(x) for x in primals]
    y = fun(*inputs)
    return tape.unbox(y), lambda g: backward(tape, {id(y): g})[id(inputs[0])]


# %% exercise="vjp" says="receives zeros of its shape, not None" loses=["vjp-pullback"]
def vjp(fun, *primals):
    tape = Tape()
    inputs = [tape.box(x) for x in primals]
    y = fun(*inputs)

    def pullback(g):
        cotangents = backward(tape, {id(y): g})
        return tuple(cotangents.get(id(x)) for x in inputs)

    return tape.unbox(y), pullback


# %% exercise="vjp" says="Tensor" loses=["vjp-pullback", "value_and_grad-tree"]
def vjp(fun, *primals):
    tape = Tape()
    inputs = [tape.box(x) for x in primals]
    y = fun(*inputs)

    def pullback(g):
        cotangents = backward(tape, {id(y): g})
        return tuple(cotangents.get(id(x), jnp.zeros(x.shape, x.dtype)) for x in inputs)

    return y, pullback


# %% exercise="value_and_grad" says="The order is (value, grads)" loses=["value_and_grad-tree", "value_and_grad-second-order"]
def value_and_grad(fun):
    def value_and_grad_fun(params, *rest):
        leaves, treedef = jax.tree.flatten(params)
        y, pullback = vjp(lambda *leaves: fun(treedef.unflatten(leaves), *rest), *leaves)
        return treedef.unflatten(pullback(jnp.ones(y.shape, y.dtype))), y

    return value_and_grad_fun


def grad(fun):
    return lambda *args: value_and_grad(fun)(*args)[1]


# %% exercise="value_and_grad" says="The gradient must have the structure of params" loses=["value_and_grad-tree"]
def value_and_grad(fun):
    def value_and_grad_fun(params, *rest):
        leaves, treedef = jax.tree.flatten(params)
        y, pullback = vjp(lambda *leaves: fun(treedef.unflatten(leaves), *rest), *leaves)
        grads = pullback(jnp.ones(y.shape, y.dtype))
        return y, grads[0] if len(grads) == 1 else list(grads)

    return value_and_grad_fun


def grad(fun):
    return lambda *args: value_and_grad(fun)(*args)[1]


# %% exercise="value_and_grad" says="The walk must start with 1" loses=["value_and_grad-tree", "value_and_grad-second-order"]
def value_and_grad(fun):
    def value_and_grad_fun(params, *rest):
        leaves, treedef = jax.tree.flatten(params)
        y, pullback = vjp(lambda *leaves: fun(treedef.unflatten(leaves), *rest), *leaves)
        return y, treedef.unflatten(pullback(y))

    return value_and_grad_fun


def grad(fun):
    return lambda *args: value_and_grad(fun)(*args)[1]


# %% exercise="value_and_grad" says="dict" loses=["value_and_grad-tree"]
def value_and_grad(fun):
    def value_and_grad_fun(params, *rest):
        y, pullback = vjp(lambda params: fun(params, *rest), params)
        return y, pullback(jnp.ones(y.shape, y.dtype))[0]

    return value_and_grad_fun


def grad(fun):
    return lambda *args: value_and_grad(fun)(*args)[1]


# %% exercise="value_and_grad" says="The value is missing" loses=["value_and_grad-tree"]
def value_and_grad(fun):
    def value_and_grad_fun(params, *rest):
        leaves, treedef = jax.tree.flatten(params)
        y, pullback = vjp(lambda *leaves: fun(treedef.unflatten(leaves), *rest), *leaves)
        return treedef.unflatten(pullback(jnp.ones(y.shape, y.dtype)))

    return value_and_grad_fun


def grad(fun):
    return value_and_grad(fun)


# %% exercise="softmax_rules" says="here a score moves its own probability only" loses=["softmax_rules-softmax"]
def softmax_rules():
    return {
        "softmax": (lambda g, y, x, axis: g * y * (1 - y),),
        "log_softmax": (lambda g, y, x, axis: g - ops.exp(y) * g.sum(axis=axis, keepdims=True),),
    }


# %% exercise="softmax_rules" says="must be weighted by the probabilities" loses=["softmax_rules-softmax"]
def softmax_rules():
    return {
        "softmax": (lambda g, y, x, axis: y * (g - g.sum(axis=axis, keepdims=True)),),
        "log_softmax": (lambda g, y, x, axis: g - ops.exp(y) * g.sum(axis=axis, keepdims=True),),
    }


# %% exercise="softmax_rules" says="It must run along `axis`" loses=["softmax_rules-softmax", "softmax_rules-log_softmax"]
def softmax_rules():
    return {
        "softmax": (lambda g, y, x, axis: y * (g - (g * y).sum(axis=-1, keepdims=True)),),
        "log_softmax": (lambda g, y, x, axis: g - ops.exp(y) * g.sum(axis=-1, keepdims=True),),
    }


# %% exercise="softmax_rules" says="must still be multiplied by y" loses=["softmax_rules-softmax"]
def softmax_rules():
    return {
        "softmax": (lambda g, y, x, axis: g - (g * y).sum(axis=axis, keepdims=True),),
        "log_softmax": (lambda g, y, x, axis: g - ops.exp(y) * g.sum(axis=axis, keepdims=True),),
    }


# %% exercise="softmax_rules" says="but its logarithm" loses=["softmax_rules-log_softmax"]
def softmax_rules():
    return {
        "softmax": (lambda g, y, x, axis: y * (g - (g * y).sum(axis=axis, keepdims=True)),),
        "log_softmax": (lambda g, y, x, axis: g - y * g.sum(axis=axis, keepdims=True),),
    }


# %% exercise="softmax_rules" says="sum g along `axis`" loses=["softmax_rules-log_softmax"]
def softmax_rules():
    return {
        "softmax": (lambda g, y, x, axis: y * (g - (g * y).sum(axis=axis, keepdims=True)),),
        "log_softmax": (lambda g, y, x, axis: g - ops.exp(y) * g,),
    }
