# %% exercise="scale_by_learning_rate" says="goes uphill" loses=["scale_by_learning_rate-number", "scale_by_learning_rate-schedule"]
def scale_by_learning_rate(learning_rate):
    def init(params):
        return jnp.zeros((), jnp.int32)

    def update(updates, state, params=None):
        rate = learning_rate(state) if callable(learning_rate) else learning_rate
        return jax.tree.map(lambda u: rate * u, updates), state + 1

    return Transform(init, update)


# %% exercise="scale_by_learning_rate" says="These are the new parameters" loses=["scale_by_learning_rate-number", "scale_by_learning_rate-schedule"]
def scale_by_learning_rate(learning_rate):
    def init(params):
        return jnp.zeros((), jnp.int32)

    def update(updates, state, params=None):
        rate = learning_rate(state) if callable(learning_rate) else learning_rate
        return jax.tree.map(lambda p, u: p - rate * u, params, updates), state + 1

    return Transform(init, update)


# %% exercise="scale_by_learning_rate" says="The first step asked the schedule with 1" loses=["scale_by_learning_rate-schedule"]
def scale_by_learning_rate(learning_rate):
    def init(params):
        return jnp.zeros((), jnp.int32)

    def update(updates, state, params=None):
        state = state + 1
        rate = learning_rate(state) if callable(learning_rate) else learning_rate
        return jax.tree.map(lambda u: -rate * u, updates), state

    return Transform(init, update)


# %% exercise="scale_by_learning_rate" says="Every step asked the schedule with 0" loses=["scale_by_learning_rate-schedule"]
def scale_by_learning_rate(learning_rate):
    def init(params):
        return jnp.zeros((), jnp.int32)

    def update(updates, state, params=None):
        rate = learning_rate(state) if callable(learning_rate) else learning_rate
        return jax.tree.map(lambda u: -rate * u, updates), state

    return Transform(init, update)


# %% exercise="momentum" says="This is an average, with 1 - decay before the gradient" loses=["momentum-plain", "momentum-nesterov"]
def momentum(decay, nesterov=False):
    def push(gradient, velocity):
        return jax.tree.map(lambda g, v: (1 - decay) * g + decay * v, gradient, velocity)

    def init(params):
        return jax.tree.map(jnp.zeros_like, params)

    def update(updates, state, params=None):
        velocity = push(updates, state)
        return push(updates, velocity) if nesterov else velocity, velocity

    return Transform(init, update)


# %% exercise="momentum" says="The velocity is forgotten after each step" loses=["momentum-plain", "momentum-nesterov"]
def momentum(decay, nesterov=False):
    def push(gradient, velocity):
        return jax.tree.map(lambda g, v: g + decay * v, gradient, velocity)

    def init(params):
        return jax.tree.map(jnp.zeros_like, params)

    def update(updates, state, params=None):
        velocity = push(updates, state)
        return push(updates, velocity) if nesterov else velocity, state

    return Transform(init, update)


# %% exercise="momentum" says="The velocity begins as the parameters" loses=["momentum-plain", "momentum-nesterov"]
def momentum(decay, nesterov=False):
    def push(gradient, velocity):
        return jax.tree.map(lambda g, v: g + decay * v, gradient, velocity)

    def init(params):
        return params

    def update(updates, state, params=None):
        velocity = push(updates, state)
        return push(updates, velocity) if nesterov else velocity, velocity

    return Transform(init, update)


# %% exercise="momentum" says="`nesterov` changes nothing" loses=["momentum-nesterov"]
def momentum(decay, nesterov=False):
    def push(gradient, velocity):
        return jax.tree.map(lambda g, v: g + decay * v, gradient, velocity)

    def init(params):
        return jax.tree.map(jnp.zeros_like, params)

    def update(updates, state, params=None):
        velocity = push(updates, state)
        return push(updates, state) if nesterov else velocity, velocity

    return Transform(init, update)


# %% exercise="momentum" says="What looks ahead was remembered" loses=["momentum-nesterov"]
def momentum(decay, nesterov=False):
    def push(gradient, velocity):
        return jax.tree.map(lambda g, v: g + decay * v, gradient, velocity)

    def init(params):
        return jax.tree.map(jnp.zeros_like, params)

    def update(updates, state, params=None):
        velocity = push(updates, state)
        if nesterov:
            velocity = push(updates, velocity)
        return velocity, velocity

    return Transform(init, update)


# %% exercise="momentum" says="The look ahead lacks the gradient" loses=["momentum-nesterov"]
def momentum(decay, nesterov=False):
    def init(params):
        return jax.tree.map(jnp.zeros_like, params)

    def update(updates, state, params=None):
        velocity = jax.tree.map(lambda g, v: g + decay * v, updates, state)
        ahead = jax.tree.map(lambda v: decay * v, velocity)
        return ahead if nesterov else velocity, velocity

    return Transform(init, update)


# %% exercise="chain" says="from right to left" loses=["chain-order", "chain-params"]
def chain(*transforms):
    def init(params):
        return tuple(transform.init(params) for transform in transforms)

    def update(updates, state, params=None):
        new_state = []
        for transform, part in zip(reversed(transforms), reversed(state)):
            updates, part = transform.update(updates, part, params)
            new_state.insert(0, part)
        return updates, tuple(new_state)

    return Transform(init, update)


# %% exercise="chain" says="The states did not move on" loses=["chain-order"]
def chain(*transforms):
    def init(params):
        return tuple(transform.init(params) for transform in transforms)

    def update(updates, state, params=None):
        for transform, part in zip(transforms, state):
            updates, _ = transform.update(updates, part, params)
        return updates, state

    return Transform(init, update)


# %% exercise="chain" says="Only the last transform counts" loses=["chain-order", "chain-params"]
def chain(*transforms):
    def init(params):
        return tuple(transform.init(params) for transform in transforms)

    def update(updates, state, params=None):
        new_state, result = [], updates
        for transform, part in zip(transforms, state):
            result, part = transform.update(updates, part, params)
            new_state.append(part)
        return result, tuple(new_state)

    return Transform(init, update)


# %% exercise="chain" says="Pass `params` on to each update" loses=["chain-params"]
def chain(*transforms):
    def init(params):
        return tuple(transform.init(params) for transform in transforms)

    def update(updates, state, params=None):
        new_state = []
        for transform, part in zip(transforms, state):
            updates, part = transform.update(updates, part)
            new_state.append(part)
        return updates, tuple(new_state)

    return Transform(init, update)


# %% exercise="chain" says="the results were added" loses=["chain-order", "chain-params"]
def chain(*transforms):
    def init(params):
        return tuple(transform.init(params) for transform in transforms)

    def update(updates, state, params=None):
        new_state, results = [], []
        for transform, part in zip(transforms, state):
            result, part = transform.update(updates, part, params)
            results.append(result)
            new_state.append(part)
        total = jax.tree.map(lambda *leaves: sum(leaves), *results) if results else updates
        return total, tuple(new_state)

    return Transform(init, update)


# %% exercise="clip_by_global_norm" says="Each leaf was clipped on its own" loses=["clip_by_global_norm-long"]
def clip_by_global_norm(max_norm):
    def init(params):
        return ()

    def update(updates, state, params=None):
        return jax.tree.map(lambda u: u * max_norm / jnp.maximum(jnp.linalg.norm(u), max_norm), updates), state

    return Transform(init, update)


# %% exercise="clip_by_global_norm" says="Each number was clipped on its own" loses=["clip_by_global_norm-long"]
def clip_by_global_norm(max_norm):
    def init(params):
        return ()

    def update(updates, state, params=None):
        return jax.tree.map(lambda u: jnp.clip(u, -max_norm, max_norm), updates), state

    return Transform(init, update)


# %% exercise="clip_by_global_norm" says="A short gradient was made longer" loses=["clip_by_global_norm-short"]
def clip_by_global_norm(max_norm):
    def init(params):
        return ()

    def update(updates, state, params=None):
        norm = jnp.sqrt(sum(jnp.sum(u**2) for u in jax.tree.leaves(updates)))
        return jax.tree.map(lambda u: u * max_norm / norm, updates), state

    return Transform(init, update)


# %% exercise="clip_by_global_norm" says="The norm lacks its square root" loses=["clip_by_global_norm-long"]
def clip_by_global_norm(max_norm):
    def init(params):
        return ()

    def update(updates, state, params=None):
        norm = sum(jnp.sum(u**2) for u in jax.tree.leaves(updates))
        return jax.tree.map(lambda u: u * max_norm / jnp.maximum(norm, max_norm), updates), state

    return Transform(init, update)


# %% exercise="clip_by_global_norm" says="Zero divided by zero is NaN" loses=["clip_by_global_norm-short"]
def clip_by_global_norm(max_norm):
    def init(params):
        return ()

    def update(updates, state, params=None):
        norm = jnp.sqrt(sum(jnp.sum(u**2) for u in jax.tree.leaves(updates)))
        return jax.tree.map(lambda u: u / norm * jnp.minimum(norm, max_norm), updates), state

    return Transform(init, update)


# %% exercise="scale_by_adam" says="The averages are not corrected for their beginning" loses=["scale_by_adam-first", "scale_by_adam-steps"]
def scale_by_adam(b1=0.9, b2=0.999, eps=1e-8):
    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return zeros, zeros

    def update(updates, state, params=None):
        mu, nu = state
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, mu, updates)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, nu, updates)
        return jax.tree.map(lambda m, v: m / (jnp.sqrt(v) + eps), mu, nu), (mu, nu)

    return Transform(init, update)


# %% exercise="scale_by_adam" says="Count the step before you correct" loses=["scale_by_adam-first", "scale_by_adam-steps"]
def scale_by_adam(b1=0.9, b2=0.999, eps=1e-8):
    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return jnp.zeros((), jnp.int32), zeros, zeros

    def update(updates, state, params=None):
        count, mu, nu = state
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, mu, updates)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, nu, updates)
        a, b = 1 - b1**count, 1 - b2**count
        return jax.tree.map(lambda m, v: (m / a) / (jnp.sqrt(v / b) + eps), mu, nu), (count + 1, mu, nu)

    return Transform(init, update)


# %% exercise="scale_by_adam" says="b1 and b2 changed places" loses=["scale_by_adam-steps"]
def scale_by_adam(b1=0.9, b2=0.999, eps=1e-8):
    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return jnp.zeros((), jnp.int32), zeros, zeros

    def update(updates, state, params=None):
        count, mu, nu = state
        count = count + 1
        mu = jax.tree.map(lambda m, g: b2 * m + (1 - b2) * g, mu, updates)
        nu = jax.tree.map(lambda v, g: b1 * v + (1 - b1) * g**2, nu, updates)
        a, b = 1 - b2**count, 1 - b1**count
        return jax.tree.map(lambda m, v: (m / a) / (jnp.sqrt(v / b) + eps), mu, nu), (count, mu, nu)

    return Transform(init, update)


# %% exercise="scale_by_adam" says="eps stands inside the root" loses=["scale_by_adam-steps"]
def scale_by_adam(b1=0.9, b2=0.999, eps=1e-8):
    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return jnp.zeros((), jnp.int32), zeros, zeros

    def update(updates, state, params=None):
        count, mu, nu = state
        count = count + 1
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, mu, updates)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, nu, updates)
        a, b = 1 - b1**count, 1 - b2**count
        return jax.tree.map(lambda m, v: (m / a) / jnp.sqrt(v / b + eps), mu, nu), (count, mu, nu)

    return Transform(init, update)


# %% exercise="scale_by_adam" says="The corrected averages were remembered" loses=["scale_by_adam-steps"]
def scale_by_adam(b1=0.9, b2=0.999, eps=1e-8):
    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return jnp.zeros((), jnp.int32), zeros, zeros

    def update(updates, state, params=None):
        count, mu, nu = state
        count = count + 1
        mu = jax.tree.map(lambda m, g: (b1 * m + (1 - b1) * g) / (1 - b1**count), mu, updates)
        nu = jax.tree.map(lambda v, g: (b2 * v + (1 - b2) * g**2) / (1 - b2**count), nu, updates)
        return jax.tree.map(lambda m, v: m / (jnp.sqrt(v) + eps), mu, nu), (count, mu, nu)

    return Transform(init, update)


# %% exercise="add_decayed_weights" says="decay is added here" loses=["add_decayed_weights-all", "add_decayed_weights-mask"]
def add_decayed_weights(weight_decay, mask=None):
    def init(params):
        return ()

    def update(updates, state, params=None):
        decays = mask(params) if mask else jax.tree.map(lambda p: True, params)
        return jax.tree.map(lambda u, p, d: u - weight_decay * p * d, updates, params, decays), state

    return Transform(init, update)


# %% exercise="add_decayed_weights" says="The mask has no effect" loses=["add_decayed_weights-mask"]
def add_decayed_weights(weight_decay, mask=None):
    def init(params):
        return ()

    def update(updates, state, params=None):
        return jax.tree.map(lambda u, p: u + weight_decay * p, updates, params), state

    return Transform(init, update)


# %% exercise="add_decayed_weights" says="the update is gone" loses=["add_decayed_weights-mask"]
def add_decayed_weights(weight_decay, mask=None):
    def init(params):
        return ()

    def update(updates, state, params=None):
        decays = mask(params) if mask else jax.tree.map(lambda p: True, params)
        return jax.tree.map(lambda u, p, d: (u + weight_decay * p) * d, updates, params, decays), state

    return Transform(init, update)


# %% exercise="add_decayed_weights" says="the wrong way round" loses=["add_decayed_weights-mask"]
def add_decayed_weights(weight_decay, mask=None):
    def init(params):
        return ()

    def update(updates, state, params=None):
        keep = mask(params) if mask else jax.tree.map(lambda p: False, params)
        return jax.tree.map(lambda u, p, k: u if k else u + weight_decay * p, updates, params, keep), state

    return Transform(init, update)


# %% exercise="add_decayed_weights" says="The updates are lost" loses=["add_decayed_weights-all", "add_decayed_weights-mask"]
def add_decayed_weights(weight_decay, mask=None):
    def init(params):
        return ()

    def update(updates, state, params=None):
        decays = mask(params) if mask else jax.tree.map(lambda p: True, params)
        return jax.tree.map(lambda p, d: weight_decay * p * d, params, decays), state

    return Transform(init, update)


# %% exercise="warmup_cosine" says="the rate rises again" loses=["warmup_cosine-shape", "warmup_cosine-traced"]
def warmup_cosine(peak, warmup, total, end=0.0):
    def schedule(step):
        rise = jnp.minimum(step / warmup, 1)
        done = jnp.maximum(step - warmup, 0) / (total - warmup)
        return rise * (end + (peak - end) * (1 + jnp.cos(jnp.pi * done)) / 2)

    return schedule


# %% exercise="warmup_cosine" says="The warm-up is part of `total`" loses=["warmup_cosine-shape", "warmup_cosine-traced"]
def warmup_cosine(peak, warmup, total, end=0.0):
    def schedule(step):
        rise = jnp.minimum(step / warmup, 1)
        done = jnp.clip((step - warmup) / total, 0, 1)
        return rise * (end + (peak - end) * (1 + jnp.cos(jnp.pi * done)) / 2)

    return schedule


# %% exercise="warmup_cosine" says="The rate goes down to 0" loses=["warmup_cosine-shape"]
def warmup_cosine(peak, warmup, total, end=0.0):
    def schedule(step):
        rise = jnp.minimum(step / warmup, 1)
        done = jnp.clip((step - warmup) / (total - warmup), 0, 1)
        return rise * peak * (1 + jnp.cos(jnp.pi * done)) / 2

    return schedule


# %% exercise="warmup_cosine" says="The warm-up is one step early" loses=["warmup_cosine-shape", "warmup_cosine-traced"]
def warmup_cosine(peak, warmup, total, end=0.0):
    def schedule(step):
        rise = jnp.minimum((step + 1) / warmup, 1)
        done = jnp.clip((step - warmup) / (total - warmup), 0, 1)
        return rise * (end + (peak - end) * (1 + jnp.cos(jnp.pi * done)) / 2)

    return schedule


# %% exercise="warmup_cosine" says="`if`" loses=["warmup_cosine-shape", "warmup_cosine-traced"]
def warmup_cosine(peak, warmup, total, end=0.0):
    def schedule(step):
        if step < warmup:
            return peak * step / warmup
        done = jnp.minimum((step - warmup) / (total - warmup), 1)
        return end + (peak - end) * (1 + jnp.cos(jnp.pi * done)) / 2

    return schedule


# %% exercise="batches" says="examples are lost" loses=["batches-order", "batches-sizes"]
def batches(n, size, seed, epoch):
    order = np.random.default_rng((seed, epoch)).permutation(n)
    return [order[i * size : (i + 1) * size] for i in range(n // size)]


def evaluate(measure, params, x, y, size):
    total = 0.0
    for start in range(0, len(x), size):
        rows = slice(start, start + size)
        total += len(x[rows]) * measure(params, x[rows], y[rows])
    return total / len(x)


# %% exercise="batches" says="`epoch` must be part of the random seed" loses=["batches-order"]
def batches(n, size, seed, epoch):
    order = np.random.default_rng(seed).permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]


def evaluate(measure, params, x, y, size):
    total = 0.0
    for start in range(0, len(x), size):
        rows = slice(start, start + size)
        total += len(x[rows]) * measure(params, x[rows], y[rows])
    return total / len(x)


# %% exercise="batches" says="Seed with the pair" loses=["batches-order"]
def batches(n, size, seed, epoch):
    order = np.random.default_rng(seed + epoch).permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]


def evaluate(measure, params, x, y, size):
    total = 0.0
    for start in range(0, len(x), size):
        rows = slice(start, start + size)
        total += len(x[rows]) * measure(params, x[rows], y[rows])
    return total / len(x)


# %% exercise="batches" says="Some examples come twice" loses=["batches-order", "batches-sizes"]
def batches(n, size, seed, epoch):
    order = np.random.default_rng((seed, epoch)).integers(0, n, n)
    return [order[start : start + size] for start in range(0, n, size)]


def evaluate(measure, params, x, y, size):
    total = 0.0
    for start in range(0, len(x), size):
        rows = slice(start, start + size)
        total += len(x[rows]) * measure(params, x[rows], y[rows])
    return total / len(x)


# %% exercise="batches" says="The last batch has fewer examples and must count less" loses=["batches-evaluate"]
def batches(n, size, seed, epoch):
    order = np.random.default_rng((seed, epoch)).permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]


def evaluate(measure, params, x, y, size):
    scores = [measure(params, x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]
    return sum(scores) / len(scores)


# %% exercise="batches" says="examples are left out" loses=["batches-evaluate"]
def batches(n, size, seed, epoch):
    order = np.random.default_rng((seed, epoch)).permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]


def evaluate(measure, params, x, y, size):
    scores = [
        measure(params, x[i * size : (i + 1) * size], y[i * size : (i + 1) * size]) for i in range(len(x) // size)
    ]
    return sum(scores) / max(len(scores), 1)


# %% exercise="train" says="The updates were subtracted" loses=["train-steps", "train-state", "train-scores"]
def train(loss, optimizer, params, epochs, evaluation):
    @jax.jit
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return jax.tree.map(lambda p, u: p - u, params, updates), state, value

    state, losses, scores = optimizer.init(params), [], []
    for epoch in epochs:
        for batch in epoch:
            params, state, value = step(params, state, *batch)
            losses.append(float(value))
        scores.append(evaluation(params))
    return params, losses, scores


# %% exercise="train" says="The optimizer forgets" loses=["train-state"]
def train(loss, optimizer, params, epochs, evaluation):
    @jax.jit
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return apply_updates(params, updates), value

    state, losses, scores = optimizer.init(params), [], []
    for epoch in epochs:
        for batch in epoch:
            params, value = step(params, state, *batch)
            losses.append(float(value))
        scores.append(evaluation(params))
    return params, losses, scores


# %% exercise="train" says="pass the parameters to the optimizer's update" loses=["train-state"]
def train(loss, optimizer, params, epochs, evaluation):
    @jax.jit
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state)
        return apply_updates(params, updates), state, value

    state, losses, scores = optimizer.init(params), [], []
    for epoch in epochs:
        for batch in epoch:
            params, state, value = step(params, state, *batch)
            losses.append(float(value))
        scores.append(evaluation(params))
    return params, losses, scores


# %% exercise="train" says="The evaluation came before the epoch's training" loses=["train-scores"]
def train(loss, optimizer, params, epochs, evaluation):
    @jax.jit
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return apply_updates(params, updates), state, value

    state, losses, scores = optimizer.init(params), [], []
    for epoch in epochs:
        scores.append(evaluation(params))
        for batch in epoch:
            params, state, value = step(params, state, *batch)
            losses.append(float(value))
    return params, losses, scores


# %% exercise="train" says="The evaluation ran after every batch" loses=["train-scores"]
def train(loss, optimizer, params, epochs, evaluation):
    @jax.jit
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return apply_updates(params, updates), state, value

    state, losses, scores = optimizer.init(params), [], []
    for epoch in epochs:
        for batch in epoch:
            params, state, value = step(params, state, *batch)
            losses.append(float(value))
            scores.append(evaluation(params))
    return params, losses, scores


# %% exercise="train" says="Write down the one whose gradient was used" loses=["train-steps"]
def train(loss, optimizer, params, epochs, evaluation):
    @jax.jit
    def step(params, state, *batch):
        gradient = mt.grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        params = apply_updates(params, updates)
        return params, state, loss(params, *batch)

    state, losses, scores = optimizer.init(params), [], []
    for epoch in epochs:
        for batch in epoch:
            params, state, value = step(params, state, *batch)
            losses.append(float(value))
        scores.append(evaluation(params))
    return params, losses, scores
