# %% exercise="magnitude_mask" says="The mask is the wrong way round" loses=["magnitude_mask-distinct", "magnitude_mask-exact"]
def magnitude_mask(weight, sparsity):
    order = jnp.argsort(jnp.abs(weight).ravel())
    gone = order[: round(sparsity * weight.size)]
    return jnp.zeros(weight.size, bool).at[gone].set(True).reshape(weight.shape)


# %% exercise="magnitude_mask" says="The most negative weights went" loses=["magnitude_mask-distinct", "magnitude_mask-exact"]
def magnitude_mask(weight, sparsity):
    order = jnp.argsort(weight.ravel())
    gone = order[: round(sparsity * weight.size)]
    return jnp.ones(weight.size, bool).at[gone].set(False).reshape(weight.shape)


# %% exercise="magnitude_mask" says="Sparsity is the share that goes" loses=["magnitude_mask-distinct", "magnitude_mask-exact"]
def magnitude_mask(weight, sparsity):
    order = jnp.argsort(jnp.abs(weight).ravel())
    gone = order[: round((1 - sparsity) * weight.size)]
    return jnp.ones(weight.size, bool).at[gone].set(False).reshape(weight.shape)


# %% exercise="magnitude_mask" says="All that tie have stayed" loses=["magnitude_mask-exact"]
def magnitude_mask(weight, sparsity):
    sizes = jnp.sort(jnp.abs(weight).ravel())
    return jnp.abs(weight) >= sizes[round(sparsity * weight.size)]


# %% exercise="magnitude_mask" says="All that tie are gone" loses=["magnitude_mask-exact"]
def magnitude_mask(weight, sparsity):
    sizes = jnp.sort(jnp.abs(weight).ravel())
    return jnp.abs(weight) > sizes[round(sparsity * weight.size) - 1]


# %% exercise="magnitude_mask" says="int cuts the rest off" loses=["magnitude_mask-exact"]
def magnitude_mask(weight, sparsity):
    order = jnp.argsort(jnp.abs(weight).ravel())
    gone = order[: int(sparsity * weight.size)]
    return jnp.ones(weight.size, bool).at[gone].set(False).reshape(weight.shape)


# %% exercise="global_masks" says="Each layer lost its own share" loses=["global_masks-compete"]
def global_masks(weights, sparsity):
    masks = {}
    for path, weight in weights.items():
        sizes = jnp.sort(jnp.abs(weight).ravel())
        masks[path] = jnp.abs(weight) >= sizes[round(sparsity * sizes.size)]
    return masks


# %% exercise="global_masks" says="One too many is gone" loses=["global_masks-compete"]
def global_masks(weights, sparsity):
    sizes = jnp.sort(jnp.concatenate([jnp.abs(weight).ravel() for weight in weights.values()]))
    threshold = sizes[round(sparsity * sizes.size)]
    return {path: jnp.abs(weight) > threshold for path, weight in weights.items()}


# %% exercise="global_masks" says="The sign counts as size here" loses=["global_masks-compete"]
def global_masks(weights, sparsity):
    sizes = jnp.sort(jnp.concatenate([weight.ravel() for weight in weights.values()]))
    threshold = sizes[round(sparsity * sizes.size)]
    return {path: weight >= threshold for path, weight in weights.items()}


# %% exercise="global_masks" says="The masks are the wrong way round" loses=["global_masks-compete"]
def global_masks(weights, sparsity):
    sizes = jnp.sort(jnp.concatenate([jnp.abs(weight).ravel() for weight in weights.values()]))
    threshold = sizes[round(sparsity * sizes.size)]
    return {path: jnp.abs(weight) < threshold for path, weight in weights.items()}


# %% exercise="global_masks" says="So much stays as should go" loses=["global_masks-compete"]
def global_masks(weights, sparsity):
    sizes = jnp.sort(jnp.concatenate([jnp.abs(weight).ravel() for weight in weights.values()]))
    threshold = sizes[round((1 - sparsity) * sizes.size)]
    return {path: jnp.abs(weight) >= threshold for path, weight in weights.items()}


# %% exercise="n_of_m" says="The groups run along the outputs" loses=["n_of_m-two-of-four", "n_of_m-one-of-three"]
def n_of_m(weight, n, m):
    groups = jnp.abs(weight).reshape(weight.shape[0], -1, m)
    rank = jnp.argsort(jnp.argsort(groups, axis=2), axis=2)
    return (rank >= m - n).reshape(weight.shape)


# %% exercise="n_of_m" says="argsort gives the order, not the rank" loses=["n_of_m-two-of-four", "n_of_m-one-of-three"]
def n_of_m(weight, n, m):
    groups = jnp.abs(weight).reshape(-1, m, weight.shape[1])
    return (jnp.argsort(groups, axis=1) >= m - n).reshape(weight.shape)


# %% exercise="n_of_m" says="These groups are not neighbours" loses=["n_of_m-two-of-four", "n_of_m-one-of-three"]
def n_of_m(weight, n, m):
    groups = jnp.abs(weight).reshape(m, -1, weight.shape[1])
    rank = jnp.argsort(jnp.argsort(groups, axis=0), axis=0)
    return (rank >= m - n).reshape(weight.shape)


# %% exercise="n_of_m" says="The smallest of each group have stayed" loses=["n_of_m-two-of-four", "n_of_m-one-of-three"]
def n_of_m(weight, n, m):
    groups = jnp.abs(weight).reshape(-1, m, weight.shape[1])
    rank = jnp.argsort(jnp.argsort(groups, axis=1), axis=1)
    return (rank < n).reshape(weight.shape)


# %% exercise="n_of_m" says="m - n stay, and should go" loses=["n_of_m-one-of-three"]
def n_of_m(weight, n, m):
    groups = jnp.abs(weight).reshape(-1, m, weight.shape[1])
    rank = jnp.argsort(jnp.argsort(groups, axis=1), axis=1)
    return (rank >= n).reshape(weight.shape)


# %% exercise="n_of_m" says="The sign counts as size here" loses=["n_of_m-two-of-four", "n_of_m-one-of-three"]
def n_of_m(weight, n, m):
    groups = weight.reshape(-1, m, weight.shape[1])
    rank = jnp.argsort(jnp.argsort(groups, axis=1), axis=1)
    return (rank >= m - n).reshape(weight.shape)


# %% exercise="cut_neurons" says="The absolute value stands inside of the sum" loses=["cut_neurons-cut"]
def cut_neurons(up, bias, down, gradient, share):
    importance = jnp.sum(jnp.abs(down * gradient), axis=1)
    gone = min(round(share * len(importance)), len(importance) - 1)
    keep = jnp.sort(jnp.argsort(importance)[gone:])
    return up[:, keep], bias[keep], down[keep]


# %% exercise="cut_neurons" says="counts as little here" loses=["cut_neurons-cut"]
def cut_neurons(up, bias, down, gradient, share):
    importance = jnp.sum(down * gradient, axis=1)
    gone = min(round(share * len(importance)), len(importance) - 1)
    keep = jnp.sort(jnp.argsort(importance)[gone:])
    return up[:, keep], bias[keep], down[keep]


# %% exercise="cut_neurons" says="The size of the outgoing weights decides here" loses=["cut_neurons-cut"]
def cut_neurons(up, bias, down, gradient, share):
    importance = jnp.sum(jnp.abs(down), axis=1)
    gone = min(round(share * len(importance)), len(importance) - 1)
    keep = jnp.sort(jnp.argsort(importance)[gone:])
    return up[:, keep], bias[keep], down[keep]


# %% exercise="cut_neurons" says="in the order of their importance" loses=["cut_neurons-cut"]
def cut_neurons(up, bias, down, gradient, share):
    importance = jnp.abs(jnp.sum(down * gradient, axis=1))
    gone = min(round(share * len(importance)), len(importance) - 1)
    keep = jnp.argsort(importance)[gone:]
    return up[:, keep], bias[keep], down[keep]


# %% exercise="cut_neurons" says="Only `down` has become smaller" loses=["cut_neurons-cut", "cut_neurons-one-stays"]
def cut_neurons(up, bias, down, gradient, share):
    importance = jnp.abs(jnp.sum(down * gradient, axis=1))
    gone = min(round(share * len(importance)), len(importance) - 1)
    keep = jnp.sort(jnp.argsort(importance)[gone:])
    return up, bias, down[keep]


# %% exercise="cut_neurons" says="No neuron is left" loses=["cut_neurons-one-stays"]
def cut_neurons(up, bias, down, gradient, share):
    importance = jnp.abs(jnp.sum(down * gradient, axis=1))
    keep = jnp.sort(jnp.argsort(importance)[round(share * len(importance)) :])
    return up[:, keep], bias[keep], down[keep]


# %% exercise="route" says="The gates of two experts do not sum to 1" loses=["route-two"]
def route(logits, top):
    probabilities = jax.nn.softmax(logits, axis=-1)
    _, best = jax.lax.top_k(logits, top)
    chosen = jax.nn.one_hot(best, logits.shape[-1], dtype=bool).any(axis=1)
    return probabilities, chosen, jnp.where(chosen, probabilities, 0)


# %% exercise="route" says="With top 1 a gate divided by itself is always 1" loses=["route-one"]
def route(logits, top):
    probabilities = jax.nn.softmax(logits, axis=-1)
    _, best = jax.lax.top_k(logits, top)
    chosen = jax.nn.one_hot(best, logits.shape[-1], dtype=bool).any(axis=1)
    gates = jnp.where(chosen, probabilities, 0)
    return probabilities, chosen, gates / gates.sum(axis=-1, keepdims=True)


# %% exercise="route" says="Softmax runs over the tokens" loses=["route-two", "route-one"]
def route(logits, top):
    probabilities = jax.nn.softmax(logits, axis=0)
    _, best = jax.lax.top_k(logits, top)
    chosen = jax.nn.one_hot(best, logits.shape[-1], dtype=bool).any(axis=1)
    gates = jnp.where(chosen, probabilities, 0)
    if top > 1:
        gates = gates / gates.sum(axis=-1, keepdims=True)
    return probabilities, chosen, gates


# %% exercise="route" says="Where scores tie, more than two are chosen" loses=["route-ties"]
def route(logits, top):
    probabilities = jax.nn.softmax(logits, axis=-1)
    chosen = logits >= jnp.sort(logits, axis=-1)[:, -top, None]
    gates = jnp.where(chosen, probabilities, 0)
    if top > 1:
        gates = gates / gates.sum(axis=-1, keepdims=True)
    return probabilities, chosen, gates


# %% exercise="route" says="The experts with the smallest scores were chosen" loses=["route-two", "route-one", "route-ties"]
def route(logits, top):
    probabilities = jax.nn.softmax(logits, axis=-1)
    best = jnp.argsort(logits, axis=-1)[:, :top]
    chosen = jax.nn.one_hot(best, logits.shape[-1], dtype=bool).any(axis=1)
    gates = jnp.where(chosen, probabilities, 0)
    if top > 1:
        gates = gates / gates.sum(axis=-1, keepdims=True)
    return probabilities, chosen, gates


# %% exercise="serve" says="nonzero fills up with 0" loses=["serve-empty"]
def serve(x, gates, experts, capacity):
    y = jnp.zeros_like(x)
    for e, expert in enumerate(experts):
        rows = jnp.nonzero(gates[:, e] > 0, size=capacity)[0]
        y = y.at[rows].add(gates[rows, e][:, None] * expert(x[rows]))
    return y


# %% exercise="serve" says="The second answer has replaced the first" loses=["serve-empty"]
def serve(x, gates, experts, capacity):
    y = jnp.zeros_like(x)
    for e, expert in enumerate(experts):
        rows = jnp.nonzero(gates[:, e] > 0, size=capacity, fill_value=len(x))[0]
        y = y.at[rows].set(gates[rows, e][:, None] * expert(x[rows]))
    return y


# %% exercise="serve" says="The answers are not weighted" loses=["serve-seats", "serve-empty"]
def serve(x, gates, experts, capacity):
    y = jnp.zeros_like(x)
    for e, expert in enumerate(experts):
        rows = jnp.nonzero(gates[:, e] > 0, size=capacity, fill_value=len(x))[0]
        y = y.at[rows].add(expert(x[rows]))
    return y


# %% exercise="serve" says="an expert has `capacity` seats and no more" loses=["serve-seats"]
def serve(x, gates, experts, capacity):
    return sum(gates[:, e : e + 1] * expert(x) for e, expert in enumerate(experts))


# %% exercise="serve" says="The last tokens were served" loses=["serve-seats"]
def serve(x, gates, experts, capacity):
    y = jnp.zeros_like(x)
    for e, expert in enumerate(experts):
        rows = len(x) - 1 - jnp.nonzero(gates[::-1, e] > 0, size=capacity, fill_value=-1)[0]
        y = y.at[rows].add(gates[rows, e][:, None] * expert(x[rows]))
    return y


# %% exercise="balance_loss" says="The factor E is missing" loses=["balance_loss-one", "balance_loss-two"]
def balance_loss(probabilities, chosen):
    shares = chosen.sum(axis=0) / chosen.sum()
    return jnp.sum(shares * probabilities.mean(axis=0))


# %% exercise="balance_loss" says="This is the sum of f times f" loses=["balance_loss-one", "balance_loss-two"]
def balance_loss(probabilities, chosen):
    shares = chosen.sum(axis=0) / chosen.sum()
    return chosen.shape[1] * jnp.sum(shares**2)


# %% exercise="balance_loss" says="This is the sum of P times P" loses=["balance_loss-one", "balance_loss-two"]
def balance_loss(probabilities, chosen):
    means = probabilities.mean(axis=0)
    return chosen.shape[1] * jnp.sum(means**2)


# %% exercise="balance_loss" says="The shares sum to 2" loses=["balance_loss-two"]
def balance_loss(probabilities, chosen):
    return chosen.shape[1] * jnp.sum(chosen.mean(axis=0) * probabilities.mean(axis=0))


# %% exercise="balance_loss" says="The factor is the number of tokens" loses=["balance_loss-one", "balance_loss-two"]
def balance_loss(probabilities, chosen):
    shares = chosen.sum(axis=0) / chosen.sum()
    return len(chosen) * jnp.sum(shares * probabilities.mean(axis=0))
