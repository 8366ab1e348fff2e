# %% exercise="executed" says="computes nothing itself: it only holds operations" loses=["executed-nested", "executed-times"]
def executed(program, times=1):
    return [(equation, times) for equation in program.eqns]


# %% exercise="executed" says="was counted in addition to what it holds" loses=["executed-nested", "executed-times"]
def executed(program, times=1):
    found = []
    for equation in program.eqns:
        for inside, repeats in inner(equation):
            found += executed(inside, times * repeats)
        found.append((equation, times))
    return found


# %% exercise="executed" says="The body of the loop was counted once" loses=["executed-nested", "executed-times"]
def executed(program, times=1):
    found = []
    for equation in program.eqns:
        held = inner(equation)
        for inside, _ in held:
            found += executed(inside, times)
        if not held:
            found.append((equation, times))
    return found


# %% exercise="executed" says="rounds of the outer one: multiply" loses=["executed-nested", "executed-times"]
def executed(program, times=1):
    found = []
    for equation in program.eqns:
        held = inner(equation)
        for inside, repeats in held:
            found += executed(inside, repeats)
        if not held:
            found.append((equation, times))
    return found


# %% exercise="executed" says="The times were added" loses=["executed-nested", "executed-times"]
def executed(program, times=1):
    found = []
    for equation in program.eqns:
        held = inner(equation)
        for inside, repeats in held:
            found += executed(inside, times + repeats)
        if not held:
            found.append((equation, times))
    return found


# %% exercise="executed" says="Collect what the function finds when it calls itself" loses=["executed-nested", "executed-times"]
def executed(program, times=1):
    found = []
    for equation in program.eqns:
        held = inner(equation)
        for inside, repeats in held:
            executed(inside, times * repeats)
        if not held:
            found.append((equation, times))
    return found


# %% exercise="cache_key" says="The numbers in an array made another program" loses=["cache_key-arrays", "cache_key-trees", "cache_key-static"]
def cache_key(args, static_argnums=()):
    traced = [arg for i, arg in enumerate(args) if i not in static_argnums]
    leaves, structure = jax.tree.flatten(traced)
    static = tuple(args[i] for i in static_argnums)
    looks = tuple((jax.typeof(x).shape, jax.typeof(x).dtype, np.asarray(x).tobytes()) for x in leaves)
    return looks, structure, static


# %% exercise="cache_key" says="The value of a Python number made another program" loses=["cache_key-arrays", "cache_key-static"]
def cache_key(args, static_argnums=()):
    traced = [arg for i, arg in enumerate(args) if i not in static_argnums]
    leaves, structure = jax.tree.flatten(traced)
    static = tuple(args[i] for i in static_argnums)
    looks = tuple(x if isinstance(x, int | float) else (x.shape, x.dtype) for x in leaves)
    return looks, structure, static


# %% exercise="cache_key" says="float32 and int32 shared a program" loses=["cache_key-arrays", "cache_key-static"]
def cache_key(args, static_argnums=()):
    traced = [arg for i, arg in enumerate(args) if i not in static_argnums]
    leaves, structure = jax.tree.flatten(traced)
    static = tuple(args[i] for i in static_argnums)
    looks = tuple((jax.typeof(x).shape, jax.typeof(x).weak_type) for x in leaves)
    return looks, structure, static


# %% exercise="cache_key" says="The whole shape counts" loses=["cache_key-arrays"]
def cache_key(args, static_argnums=()):
    traced = [arg for i, arg in enumerate(args) if i not in static_argnums]
    leaves, structure = jax.tree.flatten(traced)
    static = tuple(args[i] for i in static_argnums)
    looks = tuple((jnp.size(x), jax.typeof(x).dtype, jax.typeof(x).weak_type) for x in leaves)
    return looks, structure, static


# %% exercise="cache_key" says="shared a program. The dtype of the first is weak" loses=["cache_key-arrays"]
def cache_key(args, static_argnums=()):
    traced = [arg for i, arg in enumerate(args) if i not in static_argnums]
    leaves, structure = jax.tree.flatten(traced)
    static = tuple(args[i] for i in static_argnums)
    looks = tuple((jnp.shape(x), jax.typeof(x).dtype) for x in leaves)
    return looks, structure, static


# %% exercise="cache_key" says="The structure does not count yet" loses=["cache_key-trees"]
def cache_key(args, static_argnums=()):
    traced = [arg for i, arg in enumerate(args) if i not in static_argnums]
    leaves, structure = jax.tree.flatten(traced)
    static = tuple(args[i] for i in static_argnums)
    looks = tuple((jax.typeof(x).shape, jax.typeof(x).dtype, jax.typeof(x).weak_type) for x in leaves)
    return looks, static


# %% exercise="cache_key" says="The value of a static argument does not count yet" loses=["cache_key-static"]
def cache_key(args, static_argnums=()):
    traced = [arg for i, arg in enumerate(args) if i not in static_argnums]
    leaves, structure = jax.tree.flatten(traced)
    static = tuple(args[i] for i in static_argnums)
    looks = tuple((jax.typeof(x).shape, jax.typeof(x).dtype, jax.typeof(x).weak_type) for x in leaves)
    return looks, structure


# %% exercise="traceable" says="The gradient at 0 is NaN" loses=["traceable-length"]
def safe_length(x):
    squares = jnp.sum(x**2)
    return jnp.where(squares > 0, jnp.sqrt(squares), 0.0)


def masked_mean(x):
    positive = x > 0
    return jnp.sum(jnp.where(positive, x, 0.0)) / jnp.maximum(jnp.sum(positive), 1)


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance * a) & (count < limit)

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="traceable" says="Choose once more, after the root" loses=["traceable-length"]
def safe_length(x):
    squares = jnp.sum(x**2)
    return jnp.sqrt(jnp.where(squares > 0, squares, 1.0))


def masked_mean(x):
    positive = x > 0
    return jnp.sum(jnp.where(positive, x, 0.0)) / jnp.maximum(jnp.sum(positive), 1)


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance * a) & (count < limit)

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="traceable" says="need to know whether a value is true" loses=["traceable-length"]
def safe_length(x):
    squares = jnp.sum(x**2)
    return jnp.sqrt(squares) if squares > 0 else 0.0


def masked_mean(x):
    positive = x > 0
    return jnp.sum(jnp.where(positive, x, 0.0)) / jnp.maximum(jnp.sum(positive), 1)


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance * a) & (count < limit)

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="traceable" says="The sum is divided by all numbers" loses=["traceable-mean"]
def safe_length(x):
    squares = jnp.sum(x**2)
    some = squares > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, squares, 1.0)), 0.0)


def masked_mean(x):
    return jnp.mean(jnp.where(x > 0, x, 0.0))


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance * a) & (count < limit)

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="traceable" says="this is 0 / 0" loses=["traceable-mean"]
def safe_length(x):
    squares = jnp.sum(x**2)
    some = squares > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, squares, 1.0)), 0.0)


def masked_mean(x):
    positive = x > 0
    return jnp.sum(jnp.where(positive, x, 0.0)) / jnp.sum(positive)


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance * a) & (count < limit)

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="traceable" says="Keep the shape" loses=["traceable-mean"]
def safe_length(x):
    squares = jnp.sum(x**2)
    some = squares > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, squares, 1.0)), 0.0)


def masked_mean(x):
    return jnp.sum(x[x > 0]) / jnp.maximum(jnp.sum(x > 0), 1)


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance * a) & (count < limit)

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="traceable" says="The limit has no effect" loses=["traceable-loop"]
def safe_length(x):
    squares = jnp.sum(x**2)
    some = squares > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, squares, 1.0)), 0.0)


def masked_mean(x):
    positive = x > 0
    return jnp.sum(jnp.where(positive, x, 0.0)) / jnp.maximum(jnp.sum(positive), 1)


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return jnp.abs(root**2 - a) > tolerance * a

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="traceable" says="It is relative: tolerance * a" loses=["traceable-loop"]
def safe_length(x):
    squares = jnp.sum(x**2)
    some = squares > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, squares, 1.0)), 0.0)


def masked_mean(x):
    positive = x > 0
    return jnp.sum(jnp.where(positive, x, 0.0)) / jnp.maximum(jnp.sum(positive), 1)


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance) & (count < limit)

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="traceable" says="carry it along and add 1" loses=["traceable-loop"]
def safe_length(x):
    squares = jnp.sum(x**2)
    some = squares > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, squares, 1.0)), 0.0)


def masked_mean(x):
    positive = x > 0
    return jnp.sum(jnp.where(positive, x, 0.0)) / jnp.maximum(jnp.sum(positive), 1)


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance * a) & (count < limit)

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="traceable" says="`limit` improvements are allowed" loses=["traceable-loop"]
def safe_length(x):
    squares = jnp.sum(x**2)
    some = squares > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, squares, 1.0)), 0.0)


def masked_mean(x):
    positive = x > 0
    return jnp.sum(jnp.where(positive, x, 0.0)) / jnp.maximum(jnp.sum(positive), 1)


def heron(a, tolerance, limit):
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance * a) & (count <= limit)

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))


# %% exercise="compiled_step" says="Nothing was donated" loses=["compiled_step-donated"]
def compiled_step(loss, optimizer):
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return mt.optim.apply_updates(params, updates), state, value

    return jax.jit(step)


# %% exercise="compiled_step" says="Only the parameters were donated" loses=["compiled_step-donated"]
def compiled_step(loss, optimizer):
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return mt.optim.apply_updates(params, updates), state, value

    return jax.jit(step, donate_argnums=(0,))


# %% exercise="compiled_step" says="The batch was donated" loses=["compiled_step-donated"]
def compiled_step(loss, optimizer):
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return mt.optim.apply_updates(params, updates), state, value

    return jax.jit(step, donate_argnums=(2, 3))


# %% exercise="compiled_step" says="Python ran the loss at every call" loses=["compiled_step-compiled"]
def compiled_step(loss, optimizer):
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return mt.optim.apply_updates(params, updates), state, value

    def call(*args):
        return jax.jit(lambda *args: step(*args), donate_argnums=(0, 1))(*args)

    return call


# %% exercise="compiled_step" says="The optimizer forgets" loses=["compiled_step-values"]
def compiled_step(loss, optimizer):
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, _ = optimizer.update(gradient, state, params)
        return mt.optim.apply_updates(params, updates), state, value

    return jax.jit(step, donate_argnums=(0, 1))


# %% exercise="compiled_step" says="The parameters do not move" loses=["compiled_step-values"]
def compiled_step(loss, optimizer):
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return params, state, value

    return jax.jit(step, donate_argnums=(0, 1))


# %% exercise="compiled_step" says="The loss is that after the update" loses=["compiled_step-values", "compiled_step-compiled"]
def compiled_step(loss, optimizer):
    def step(params, state, *batch):
        _, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        params = mt.optim.apply_updates(params, updates)
        return params, state, loss(params, *batch)

    return jax.jit(step, donate_argnums=(0, 1))


# %% exercise="compiled_epoch" says="Only the last loss came back" loses=["compiled_epoch-steps"]
def compiled_epoch(step):
    def body(carry, batch):
        params, state, value = step(*carry, *batch)
        return (params, state), value

    def epoch(params, state, *batches):
        (params, state), losses = jax.lax.scan(body, (params, state), batches)
        return params, state, losses[-1]

    return jax.jit(epoch, donate_argnums=(0, 1))


# %% exercise="compiled_epoch" says="Every step began at the first parameters" loses=["compiled_epoch-steps"]
def compiled_epoch(step):
    def body(carry, batch):
        params, state, value = step(*carry, *batch)
        return carry, value

    def epoch(params, state, *batches):
        (params, state), losses = jax.lax.scan(body, (params, state), batches)
        return params, state, losses

    return jax.jit(epoch, donate_argnums=(0, 1))


# %% exercise="compiled_epoch" says="The state did not move on" loses=["compiled_epoch-steps"]
def compiled_epoch(step):
    def body(carry, batch):
        params, state, value = step(*carry, *batch)
        return (params, carry[1]), value

    def epoch(params, state, *batches):
        (params, state), losses = jax.lax.scan(body, (params, state), batches)
        return params, state, losses

    return jax.jit(epoch, donate_argnums=(0, 1))


# %% exercise="compiled_epoch" says="in the reverse order" loses=["compiled_epoch-steps"]
def compiled_epoch(step):
    def body(carry, batch):
        params, state, value = step(*carry, *batch)
        return (params, state), value

    def epoch(params, state, *batches):
        (params, state), losses = jax.lax.scan(body, (params, state), batches, reverse=True)
        return params, state, losses

    return jax.jit(epoch, donate_argnums=(0, 1))


# %% exercise="compiled_epoch" says="the loop is Python's" loses=["compiled_epoch-one-program"]
def compiled_epoch(step):
    def epoch(params, state, *batches):
        losses = []
        for batch in zip(*batches):
            params, state, value = step(params, state, *batch)
            losses.append(value)
        return params, state, jnp.stack(losses)

    return jax.jit(epoch, donate_argnums=(0, 1))


# %% exercise="compiled_epoch" says="Nothing was donated" loses=["compiled_epoch-donated"]
def compiled_epoch(step):
    def body(carry, batch):
        params, state, value = step(*carry, *batch)
        return (params, state), value

    def epoch(params, state, *batches):
        (params, state), losses = jax.lax.scan(body, (params, state), batches)
        return params, state, losses

    return jax.jit(epoch)


# %% exercise="flops" says="The factor 2 is missing" loses=["flops-products"]
def flops(equation):
    name = equation.primitive.name
    first, result = equation.invars[0].aval if equation.invars else None, equation.outvars[0].aval
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return result.size * math.prod(first.shape[axis] for axis in contracted)
    if name in REDUCTIONS:
        return first.size
    return result.size if name in ELEMENTWISE else 0


def total(cost, function, *args):
    return sum(times * cost(equation) for equation, times in executed(jax.make_jaxpr(function)(*args)))


# %% exercise="flops" says="The last axis of the left side was taken" loses=["flops-products"]
def flops(equation):
    name = equation.primitive.name
    first, result = equation.invars[0].aval if equation.invars else None, equation.outvars[0].aval
    if name == "dot_general":
        return 2 * result.size * first.shape[-1]
    if name in REDUCTIONS:
        return first.size
    return result.size if name in ELEMENTWISE else 0


def total(cost, function, *args):
    return sum(times * cost(equation) for equation, times in executed(jax.make_jaxpr(function)(*args)))


# %% exercise="flops" says="Only the first of the axes that are summed over" loses=["flops-products"]
def flops(equation):
    name = equation.primitive.name
    first, result = equation.invars[0].aval if equation.invars else None, equation.outvars[0].aval
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2 * result.size * first.shape[contracted[0]]
    if name in REDUCTIONS:
        return first.size
    return result.size if name in ELEMENTWISE else 0


def total(cost, function, *args):
    return sum(times * cost(equation) for equation, times in executed(jax.make_jaxpr(function)(*args)))


# %% exercise="flops" says="The size of the result was taken" loses=["flops-others"]
def flops(equation):
    name = equation.primitive.name
    first, result = equation.invars[0].aval if equation.invars else None, equation.outvars[0].aval
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2 * result.size * math.prod(first.shape[axis] for axis in contracted)
    if name in REDUCTIONS:
        return result.size
    return result.size if name in ELEMENTWISE else 0


def total(cost, function, *args):
    return sum(times * cost(equation) for equation, times in executed(jax.make_jaxpr(function)(*args)))


# %% exercise="flops" says="All inputs were counted" loses=["flops-others"]
def flops(equation):
    name = equation.primitive.name
    first, result = equation.invars[0].aval if equation.invars else None, equation.outvars[0].aval
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2 * result.size * math.prod(first.shape[axis] for axis in contracted)
    if name in REDUCTIONS:
        return first.size
    return sum(x.aval.size for x in equation.invars) if name in ELEMENTWISE else 0


def total(cost, function, *args):
    return sum(times * cost(equation) for equation, times in executed(jax.make_jaxpr(function)(*args)))


# %% exercise="flops" says="Moving numbers was counted as arithmetic" loses=["flops-others"]
def flops(equation):
    name = equation.primitive.name
    first, result = equation.invars[0].aval if equation.invars else None, equation.outvars[0].aval
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2 * result.size * math.prod(first.shape[axis] for axis in contracted)
    if name in REDUCTIONS:
        return first.size
    return result.size


def total(cost, function, *args):
    return sum(times * cost(equation) for equation, times in executed(jax.make_jaxpr(function)(*args)))


# %% exercise="flops" says="The size of the first input was taken" loses=["flops-others"]
def flops(equation):
    name = equation.primitive.name
    first, result = equation.invars[0].aval if equation.invars else None, equation.outvars[0].aval
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2 * result.size * math.prod(first.shape[axis] for axis in contracted)
    if name in REDUCTIONS:
        return first.size
    return first.size if name in ELEMENTWISE else 0


def total(cost, function, *args):
    return sum(times * cost(equation) for equation, times in executed(jax.make_jaxpr(function)(*args)))


# %% exercise="mlp_step_flops" says="These are the products of the way forwards" loses=["mlp_step_flops-pencil"]
def mlp_step_flops(sizes, batch):
    forwards = [2 * batch * n * m for n, m in zip(sizes, sizes[1:])]
    return sum(forwards)


# %% exercise="mlp_step_flops" says="The products for the input of the first layer are counted" loses=["mlp_step_flops-pencil"]
def mlp_step_flops(sizes, batch):
    forwards = [2 * batch * n * m for n, m in zip(sizes, sizes[1:])]
    return 3 * sum(forwards)


# %% exercise="mlp_step_flops" says="one product forwards and two backwards" loses=["mlp_step_flops-pencil"]
def mlp_step_flops(sizes, batch):
    forwards = [2 * batch * n * m for n, m in zip(sizes, sizes[1:])]
    return 2 * sum(forwards)


# %% exercise="mlp_step_flops" says="The factor 2 is missing" loses=["mlp_step_flops-pencil"]
def mlp_step_flops(sizes, batch):
    forwards = [batch * n * m for n, m in zip(sizes, sizes[1:])]
    return 3 * sum(forwards) - forwards[0]


# %% exercise="mlp_step_flops" says="The batch is missing" loses=["mlp_step_flops-pencil"]
def mlp_step_flops(sizes, batch):
    forwards = [2 * n * m for n, m in zip(sizes, sizes[1:])]
    return 3 * sum(forwards) - forwards[0]


# %% exercise="mlp_step_flops" says="The last layer was left out of the account" loses=["mlp_step_flops-pencil"]
def mlp_step_flops(sizes, batch):
    forwards = [2 * batch * n * m for n, m in zip(sizes, sizes[1:])]
    return 3 * sum(forwards) - forwards[-1]


# %% exercise="moved" says="These are numbers" loses=["moved-bytes", "moved-fused"]
def moved(equation):
    variables = [*equation.invars, *equation.outvars]
    return sum(variable.aval.size for variable in variables)


def moved_fused(program):
    return sum(aval.size for aval in [*program.in_avals, *program.out_avals])


# %% exercise="moved" says="were taken as 4 bytes wide" loses=["moved-bytes", "moved-fused"]
def moved(equation):
    variables = [*equation.invars, *equation.outvars]
    return sum(variable.aval.size * 4 for variable in variables)


def moved_fused(program):
    return sum(aval.size * 4 for aval in [*program.in_avals, *program.out_avals])


# %% exercise="moved" says="Only what is read was counted" loses=["moved-bytes", "moved-fused"]
def moved(equation):
    variables = equation.invars
    return sum(variable.aval.size * variable.aval.dtype.itemsize for variable in variables)


def moved_fused(program):
    return sum(aval.size * aval.dtype.itemsize for aval in program.in_avals)


# %% exercise="moved" says="Only what is written was counted" loses=["moved-bytes", "moved-fused"]
def moved(equation):
    variables = equation.outvars
    return sum(variable.aval.size * variable.aval.dtype.itemsize for variable in variables)


def moved_fused(program):
    return sum(aval.size * aval.dtype.itemsize for aval in program.out_avals)


# %% exercise="moved" says="What passes from one operation to the next was counted" loses=["moved-fused"]
def moved(equation):
    variables = [*equation.invars, *equation.outvars]
    return sum(variable.aval.size * variable.aval.dtype.itemsize for variable in variables)


def moved_fused(program):
    return sum(moved(equation) for equation in program.eqns)


# %% exercise="attainable" says="This is the larger limit" loses=["attainable-roof"]
def attainable(intensity, peak, bandwidth):
    return jnp.maximum(peak, bandwidth * intensity)


def smallest_batch(inputs, outputs, peak, bandwidth, itemsize=4):
    carried = peak / bandwidth * itemsize
    factor = 2 * inputs * outputs - carried * (inputs + outputs)
    return carried * inputs * outputs / factor if factor > 0 else math.inf


# %% exercise="attainable" says="The peak is missing" loses=["attainable-roof"]
def attainable(intensity, peak, bandwidth):
    return bandwidth * intensity


def smallest_batch(inputs, outputs, peak, bandwidth, itemsize=4):
    carried = peak / bandwidth * itemsize
    factor = 2 * inputs * outputs - carried * (inputs + outputs)
    return carried * inputs * outputs / factor if factor > 0 else math.inf


# %% exercise="attainable" says="Bytes a second times FLOP for each byte" loses=["attainable-roof"]
def attainable(intensity, peak, bandwidth):
    return jnp.minimum(peak, bandwidth / intensity)


def smallest_batch(inputs, outputs, peak, bandwidth, itemsize=4):
    carried = peak / bandwidth * itemsize
    factor = 2 * inputs * outputs - carried * (inputs + outputs)
    return carried * inputs * outputs / factor if factor > 0 else math.inf


# %% exercise="attainable" says="The factor 2 is missing" loses=["attainable-batch"]
def attainable(intensity, peak, bandwidth):
    return jnp.minimum(peak, bandwidth * intensity)


def smallest_batch(inputs, outputs, peak, bandwidth, itemsize=4):
    carried = peak / bandwidth * itemsize
    factor = inputs * outputs - carried * (inputs + outputs)
    return carried * inputs * outputs / factor if factor > 0 else math.inf


# %% exercise="attainable" says="The bytes of the results and of the inputs are missing" loses=["attainable-batch"]
def attainable(intensity, peak, bandwidth):
    return jnp.minimum(peak, bandwidth * intensity)


def smallest_batch(inputs, outputs, peak, bandwidth, itemsize=4):
    carried = peak / bandwidth * itemsize
    factor = 2 * inputs * outputs
    return carried * inputs * outputs / factor if factor > 0 else math.inf


# %% exercise="attainable" says="The width of a number is missing" loses=["attainable-batch"]
def attainable(intensity, peak, bandwidth):
    return jnp.minimum(peak, bandwidth * intensity)


def smallest_batch(inputs, outputs, peak, bandwidth, itemsize=4):
    carried = peak / bandwidth
    factor = 2 * inputs * outputs - carried * (inputs + outputs)
    return carried * inputs * outputs / factor if factor > 0 else math.inf


# %% exercise="attainable" says="A batch cannot be negative" loses=["attainable-batch"]
def attainable(intensity, peak, bandwidth):
    return jnp.minimum(peak, bandwidth * intensity)


def smallest_batch(inputs, outputs, peak, bandwidth, itemsize=4):
    carried = peak / bandwidth * itemsize
    factor = 2 * inputs * outputs - carried * (inputs + outputs)
    return carried * inputs * outputs / factor if factor else math.inf


# %% exercise="attainable" says="is `itemsize`, and not always 4" loses=["attainable-batch"]
def attainable(intensity, peak, bandwidth):
    return jnp.minimum(peak, bandwidth * intensity)


def smallest_batch(inputs, outputs, peak, bandwidth, itemsize=4):
    carried = peak / bandwidth * 4
    factor = 2 * inputs * outputs - carried * (inputs + outputs)
    return carried * inputs * outputs / factor if factor > 0 else math.inf
