# %% exercise="soft_targets" says="The logits were multiplied by t" loses=["soft_targets-rows"]
def soft_targets(logits, t):
    return jax.nn.softmax(logits * t, axis=-1)


# %% exercise="soft_targets" says="The temperature has no effect" loses=["soft_targets-rows"]
def soft_targets(logits, t):
    return jax.nn.softmax(logits, axis=-1)


# %% exercise="soft_targets" says="Probabilities were divided by t" loses=["soft_targets-rows"]
def soft_targets(logits, t):
    return jax.nn.softmax(logits, axis=-1) / t


# %% exercise="soft_targets" says="Columns sum to 1" loses=["soft_targets-rows"]
def soft_targets(logits, t):
    return jax.nn.softmax(logits / t, axis=0)


# %% exercise="soft_targets" says="All rows together sum to 1" loses=["soft_targets-rows"]
def soft_targets(logits, t):
    return jax.nn.softmax(logits / t, axis=None)


# %% exercise="soft_targets" says="The softmax came first" loses=["soft_targets-rows"]
def soft_targets(logits, t):
    return jax.nn.softmax(jax.nn.softmax(logits, axis=-1) / t, axis=-1)


# %% exercise="kinship" says="The class itself is still there" loses=["kinship-table", "kinship-missing"]
def kinship(probabilities, labels):
    C = probabilities.shape[1]
    sums = jax.nn.one_hot(labels, C).T @ probabilities
    total = sums.sum(axis=1, keepdims=True)
    return jnp.where(total > 0, sums / total, 0.0)


# %% exercise="kinship" says="Rows and columns are exchanged" loses=["kinship-table", "kinship-missing"]
def kinship(probabilities, labels):
    C = probabilities.shape[1]
    others = (jax.nn.one_hot(labels, C).T @ probabilities) * (1 - jnp.eye(C))
    total = others.sum(axis=1, keepdims=True)
    return jnp.where(total > 0, others / total, 0.0).T


# %% exercise="kinship" says="The rows do not sum to 1" loses=["kinship-table", "kinship-missing"]
def kinship(probabilities, labels):
    C = probabilities.shape[1]
    return (jax.nn.one_hot(labels, C).T @ probabilities) * (1 - jnp.eye(C))


# %% exercise="kinship" says="The row of a class without a picture is NaN" loses=["kinship-missing"]
def kinship(probabilities, labels):
    C = probabilities.shape[1]
    others = (jax.nn.one_hot(labels, C).T @ probabilities) * (1 - jnp.eye(C))
    return others / others.sum(axis=1, keepdims=True)


# %% exercise="kinship" says="Each column was divided by its sum" loses=["kinship-table", "kinship-missing"]
def kinship(probabilities, labels):
    C = probabilities.shape[1]
    others = (jax.nn.one_hot(labels, C).T @ probabilities) * (1 - jnp.eye(C))
    total = others.sum(axis=0)
    return jnp.where(total > 0, others / total, 0.0)


# %% exercise="kinship" says="Each picture was made to sum to 1" loses=["kinship-table", "kinship-missing"]
def kinship(probabilities, labels):
    C = probabilities.shape[1]
    belongs = jax.nn.one_hot(labels, C)
    others = probabilities * (1 - belongs)
    others = belongs.T @ (others / others.sum(axis=1, keepdims=True))
    total = others.sum(axis=1, keepdims=True)
    return jnp.where(total > 0, others / total, 0.0)


# %% exercise="kinship" says="Only the most likely other class" loses=["kinship-table", "kinship-missing"]
def kinship(probabilities, labels):
    C = probabilities.shape[1]
    belongs = jax.nn.one_hot(labels, C)
    second = jnp.argmax(probabilities * (1 - belongs), axis=1)
    others = belongs.T @ jax.nn.one_hot(second, C)
    total = others.sum(axis=1, keepdims=True)
    return jnp.where(total > 0, others / total, 0.0)


# %% exercise="divergence" says="This is the reverse one" loses=["divergence-forward", "divergence-reverse", "divergence-sure", "distillation_loss-soft", "distillation_loss-mixed"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(student / t), mt.ops.log_softmax(teacher / t)
    if reverse:
        p, q = q, p
    return mt.ops.sum(mt.ops.exp(p) * (p - q), axis=-1)


# %% exercise="divergence" says="This is the cross entropy" loses=["divergence-forward", "divergence-reverse", "divergence-sure", "distillation_loss-soft", "distillation_loss-mixed"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(teacher / t), mt.ops.log_softmax(student / t)
    if reverse:
        p, q = q, p
    return -mt.ops.sum(mt.ops.exp(p) * q, axis=-1)


# %% exercise="divergence" says="The sign: a divergence is never negative" loses=["divergence-forward", "divergence-reverse", "divergence-sure", "distillation_loss-soft", "distillation_loss-mixed"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(teacher / t), mt.ops.log_softmax(student / t)
    if reverse:
        p, q = q, p
    return mt.ops.sum(mt.ops.exp(p) * (q - p), axis=-1)


# %% exercise="divergence" says="The classes were averaged" loses=["divergence-forward", "divergence-reverse", "divergence-sure", "distillation_loss-soft", "distillation_loss-mixed"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(teacher / t), mt.ops.log_softmax(student / t)
    if reverse:
        p, q = q, p
    return mt.ops.mean(mt.ops.exp(p) * (p - q), axis=-1)


# %% exercise="divergence" says="`reverse` changes nothing" loses=["divergence-reverse"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(teacher / t), mt.ops.log_softmax(student / t)
    return mt.ops.sum(mt.ops.exp(p) * (p - q), axis=-1)


# %% exercise="divergence" says="Only the weights were exchanged" loses=["divergence-reverse"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(teacher / t), mt.ops.log_softmax(student / t)
    weights = mt.ops.exp(q if reverse else p)
    return mt.ops.sum(weights * (p - q), axis=-1)


# %% exercise="divergence" says="The temperature has no effect" loses=["divergence-forward", "divergence-reverse", "distillation_loss-soft", "distillation_loss-mixed"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(teacher), mt.ops.log_softmax(student)
    if reverse:
        p, q = q, p
    return mt.ops.sum(mt.ops.exp(p) * (p - q), axis=-1)


# %% exercise="divergence" says="Only the teacher was divided by t" loses=["divergence-forward", "divergence-reverse", "distillation_loss-soft", "distillation_loss-mixed"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(teacher / t), mt.ops.log_softmax(student)
    if reverse:
        p, q = q, p
    return mt.ops.sum(mt.ops.exp(p) * (p - q), axis=-1)


# %% exercise="divergence" says="A probability was rounded to 0" loses=["divergence-sure"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.softmax(teacher / t), mt.ops.softmax(student / t)
    if reverse:
        p, q = q, p
    return mt.ops.sum(p * (mt.ops.log(p) - mt.ops.log(q)), axis=-1)


# %% exercise="divergence" says="All rows were added up" loses=["divergence-forward", "divergence-reverse", "divergence-sure", "distillation_loss-soft", "distillation_loss-mixed"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(teacher / t), mt.ops.log_softmax(student / t)
    if reverse:
        p, q = q, p
    return mt.ops.sum(mt.ops.exp(p) * (p - q))


# %% exercise="divergence" says="That belongs to the loss, in exercise 5" loses=["divergence-forward", "divergence-reverse", "distillation_loss-soft", "distillation_loss-mixed"]
def divergence(student, teacher, t, reverse=False):
    p, q = mt.ops.log_softmax(teacher / t), mt.ops.log_softmax(student / t)
    if reverse:
        p, q = q, p
    return mt.ops.sum(mt.ops.exp(p) * (p - q), axis=-1) * t**2


# %% exercise="soft_gradient" says="The sign: where the student says too little" loses=["soft_gradient-rows"]
def soft_gradient(student, teacher, t):
    q, p = jax.nn.softmax(student / t), jax.nn.softmax(teacher / t)
    return t * (p - q) / len(student)


# %% exercise="soft_gradient" says="without the factor t squared" loses=["soft_gradient-rows"]
def soft_gradient(student, teacher, t):
    q, p = jax.nn.softmax(student / t), jax.nn.softmax(teacher / t)
    return (q - p) / t / len(student)


# %% exercise="soft_gradient" says="A factor 1 / t is missing" loses=["soft_gradient-rows"]
def soft_gradient(student, teacher, t):
    q, p = jax.nn.softmax(student / t), jax.nn.softmax(teacher / t)
    return t**2 * (q - p) / len(student)


# %% exercise="soft_gradient" says="The temperature's factors are missing" loses=["soft_gradient-rows"]
def soft_gradient(student, teacher, t):
    q, p = jax.nn.softmax(student / t), jax.nn.softmax(teacher / t)
    return (q - p) / len(student)


# %% exercise="soft_gradient" says="divide by their number" loses=["soft_gradient-rows"]
def soft_gradient(student, teacher, t):
    q, p = jax.nn.softmax(student / t), jax.nn.softmax(teacher / t)
    return t * (q - p)


# %% exercise="soft_gradient" says="number of all logits" loses=["soft_gradient-rows"]
def soft_gradient(student, teacher, t):
    q, p = jax.nn.softmax(student / t), jax.nn.softmax(teacher / t)
    return t * (q - p) / student.size


# %% exercise="soft_gradient" says="The probabilities are those at temperature 1" loses=["soft_gradient-rows"]
def soft_gradient(student, teacher, t):
    q, p = jax.nn.softmax(student), jax.nn.softmax(teacher)
    return t * (q - p) / len(student)


# %% exercise="distillation_loss" says="The factor t squared is missing" loses=["distillation_loss-soft", "distillation_loss-mixed"]
def distillation_loss(student, teacher, labels, t, soft):
    followed = mt.ops.mean(divergence(student, teacher, t))
    return soft * followed + (1 - soft) * cross_entropy(student, labels)


# %% exercise="distillation_loss" says="The factor is t, and should be t squared" loses=["distillation_loss-soft", "distillation_loss-mixed"]
def distillation_loss(student, teacher, labels, t, soft):
    followed = t * mt.ops.mean(divergence(student, teacher, t))
    return soft * followed + (1 - soft) * cross_entropy(student, labels)


# %% exercise="distillation_loss" says="The factor t squared stands before both parts" loses=["distillation_loss-mixed"]
def distillation_loss(student, teacher, labels, t, soft):
    followed = mt.ops.mean(divergence(student, teacher, t))
    return t**2 * (soft * followed + (1 - soft) * cross_entropy(student, labels))


# %% exercise="distillation_loss" says="The hard part is at temperature t" loses=["distillation_loss-mixed"]
def distillation_loss(student, teacher, labels, t, soft):
    followed = t**2 * mt.ops.mean(divergence(student, teacher, t))
    return soft * followed + (1 - soft) * cross_entropy(student / t, labels)


# %% exercise="distillation_loss" says="The two shares are exchanged" loses=["distillation_loss-soft", "distillation_loss-mixed"]
def distillation_loss(student, teacher, labels, t, soft):
    followed = t**2 * mt.ops.mean(divergence(student, teacher, t))
    return (1 - soft) * followed + soft * cross_entropy(student, labels)


# %% exercise="distillation_loss" says="The two models are exchanged" loses=["distillation_loss-soft", "distillation_loss-mixed"]
def distillation_loss(student, teacher, labels, t, soft):
    followed = t**2 * mt.ops.mean(divergence(teacher, student, t))
    return soft * followed + (1 - soft) * cross_entropy(student, labels)


# %% exercise="distillation_loss" says="The examples were added up" loses=["distillation_loss-soft", "distillation_loss-mixed"]
def distillation_loss(student, teacher, labels, t, soft):
    followed = t**2 * mt.ops.sum(divergence(student, teacher, t))
    return soft * followed + (1 - soft) * cross_entropy(student, labels)


# %% exercise="distillation_loss" says="The hard part counts in full" loses=["distillation_loss-soft", "distillation_loss-mixed"]
def distillation_loss(student, teacher, labels, t, soft):
    followed = t**2 * mt.ops.mean(divergence(student, teacher, t))
    return soft * followed + cross_entropy(student, labels)


# %% exercise="distillation_loss" says="The mean over classes was taken too" loses=["distillation_loss-soft", "distillation_loss-mixed"]
def distillation_loss(student, teacher, labels, t, soft):
    followed = t**2 * mt.ops.mean(divergence(student, teacher, t)) / student.shape[-1]
    return soft * followed + (1 - soft) * cross_entropy(student, labels)


# %% exercise="hidden_loss" says="The last is missing, and the first is there" loses=["hidden_loss-layers", "hidden_loss-value"]
def matched(states, n):
    return states[:: len(states) // n]


def hidden_loss(projections, ours, theirs):
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped, wanted = normalized(mine) @ projection, normalized(wanted)
        losses.append(mt.nn.mse(mapped, wanted))
    return sum(losses) / len(losses)


# %% exercise="hidden_loss" says="These are the first three" loses=["hidden_loss-layers", "hidden_loss-value"]
def matched(states, n):
    return states[:n]


def hidden_loss(projections, ours, theirs):
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped, wanted = normalized(mine) @ projection, normalized(wanted)
        losses.append(mt.nn.mse(mapped, wanted))
    return sum(losses) / len(losses)


# %% exercise="hidden_loss" says="These are the last three" loses=["hidden_loss-layers", "hidden_loss-value"]
def matched(states, n):
    return states[len(states) - n :]


def hidden_loss(projections, ours, theirs):
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped, wanted = normalized(mine) @ projection, normalized(wanted)
        losses.append(mt.nn.mse(mapped, wanted))
    return sum(losses) / len(losses)


# %% exercise="hidden_loss" says="The states were compared as they are" loses=["hidden_loss-value"]
def matched(states, n):
    every = len(states) // n
    return states[every - 1 :: every]


def hidden_loss(projections, ours, theirs):
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped = mine @ projection
        losses.append(mt.nn.mse(mapped, wanted))
    return sum(losses) / len(losses)


# %% exercise="hidden_loss" says="Only the teacher's states were normalized" loses=["hidden_loss-value"]
def matched(states, n):
    every = len(states) // n
    return states[every - 1 :: every]


def hidden_loss(projections, ours, theirs):
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped, wanted = mine @ projection, normalized(wanted)
        losses.append(mt.nn.mse(mapped, wanted))
    return sum(losses) / len(losses)


# %% exercise="hidden_loss" says="normalized after the projection" loses=["hidden_loss-value"]
def matched(states, n):
    every = len(states) // n
    return states[every - 1 :: every]


def hidden_loss(projections, ours, theirs):
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped, wanted = normalized(mine @ projection), normalized(wanted)
        losses.append(mt.nn.mse(mapped, wanted))
    return sum(losses) / len(losses)


# %% exercise="hidden_loss" says="The layers were added up" loses=["hidden_loss-value"]
def matched(states, n):
    every = len(states) // n
    return states[every - 1 :: every]


def hidden_loss(projections, ours, theirs):
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped, wanted = normalized(mine) @ projection, normalized(wanted)
        losses.append(mt.nn.mse(mapped, wanted))
    return sum(losses)


# %% exercise="hidden_loss" says="The differences were not squared" loses=["hidden_loss-value"]
def matched(states, n):
    every = len(states) // n
    return states[every - 1 :: every]


def hidden_loss(projections, ours, theirs):
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped, wanted = normalized(mine) @ projection, normalized(wanted)
        losses.append(mt.ops.mean(mt.ops.abs(mapped - wanted)))
    return sum(losses) / len(losses)


# %% exercise="hidden_loss" says="Only the last layer counts" loses=["hidden_loss-value"]
def matched(states, n):
    every = len(states) // n
    return states[every - 1 :: every]


def hidden_loss(projections, ours, theirs):
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped, wanted = normalized(mine) @ projection, normalized(wanted)
        losses.append(mt.nn.mse(mapped, wanted))
    return losses[-1]


# %% exercise="kept_divergence" says="The outcome \"something else\" is missing" loses=["kept_divergence-value", "kept_divergence-sure"]
def keep(logits, k):
    kept, ids = jax.lax.top_k(jax.nn.softmax(logits), k)
    return ids, kept


def kept_divergence(student, ids, kept):
    log_q = mt.ops.take_along_axis(mt.ops.log_softmax(student), ids, axis=-1)
    return mt.ops.sum(kept * (jnp.log(kept) - log_q), axis=-1)


# %% exercise="kept_divergence" says="which teaches the student that all else is impossible" loses=["kept_divergence-value", "kept_divergence-sure"]
def keep(logits, k):
    kept, ids = jax.lax.top_k(jax.nn.softmax(logits), k)
    return ids, kept


def kept_divergence(student, ids, kept):
    log_q = mt.ops.take_along_axis(mt.ops.log_softmax(student), ids, axis=-1)
    kept = kept / jnp.sum(kept, axis=-1, keepdims=True)
    return mt.ops.sum(kept * (jnp.log(kept) - log_q), axis=-1)


# %% exercise="kept_divergence" says="Both were made to sum to 1" loses=["kept_divergence-value", "kept_divergence-sure"]
def keep(logits, k):
    kept, ids = jax.lax.top_k(jax.nn.softmax(logits), k)
    return ids, kept


def kept_divergence(student, ids, kept):
    log_q = mt.ops.take_along_axis(mt.ops.log_softmax(student), ids, axis=-1)
    kept = kept / jnp.sum(kept, axis=-1, keepdims=True)
    log_q = mt.ops.log_softmax(log_q)
    return mt.ops.sum(kept * (jnp.log(kept) - log_q), axis=-1)


# %% exercise="kept_divergence" says="The student's first tokens were taken" loses=["kept_divergence-value", "kept_divergence-sure"]
def keep(logits, k):
    kept, ids = jax.lax.top_k(jax.nn.softmax(logits), k)
    return ids, kept


def kept_divergence(student, ids, kept):
    log_q = mt.ops.log_softmax(student)[..., : ids.shape[-1]]
    others = jnp.maximum(1 - jnp.sum(kept, axis=-1), 1e-6)
    our_others = mt.ops.maximum(1 - mt.ops.sum(mt.ops.exp(log_q), axis=-1), 1e-6)
    named = mt.ops.sum(kept * (jnp.log(kept) - log_q), axis=-1)
    return named + others * (jnp.log(others) - mt.ops.log(our_others))


# %% exercise="kept_divergence" says="Keep them as they are" loses=["kept_divergence-keep"]
def keep(logits, k):
    kept, ids = jax.lax.top_k(jax.nn.softmax(logits), k)
    return ids, kept / kept.sum(axis=-1, keepdims=True)


def kept_divergence(student, ids, kept):
    log_q = mt.ops.take_along_axis(mt.ops.log_softmax(student), ids, axis=-1)
    others = jnp.maximum(1 - jnp.sum(kept, axis=-1), 1e-6)
    our_others = mt.ops.maximum(1 - mt.ops.sum(mt.ops.exp(log_q), axis=-1), 1e-6)
    named = mt.ops.sum(kept * (jnp.log(kept) - log_q), axis=-1)
    return named + others * (jnp.log(others) - mt.ops.log(our_others))


# %% exercise="kept_divergence" says="These are logits" loses=["kept_divergence-keep"]
def keep(logits, k):
    kept, ids = jax.lax.top_k(logits, k)
    return ids, kept


def kept_divergence(student, ids, kept):
    log_q = mt.ops.take_along_axis(mt.ops.log_softmax(student), ids, axis=-1)
    others = jnp.maximum(1 - jnp.sum(kept, axis=-1), 1e-6)
    our_others = mt.ops.maximum(1 - mt.ops.sum(mt.ops.exp(log_q), axis=-1), 1e-6)
    named = mt.ops.sum(kept * (jnp.log(kept) - log_q), axis=-1)
    return named + others * (jnp.log(others) - mt.ops.log(our_others))


# %% exercise="kept_divergence" says="let it be 1e-6 at least" loses=["kept_divergence-sure"]
def keep(logits, k):
    kept, ids = jax.lax.top_k(jax.nn.softmax(logits), k)
    return ids, kept


def kept_divergence(student, ids, kept):
    log_q = mt.ops.take_along_axis(mt.ops.log_softmax(student), ids, axis=-1)
    others = 1 - jnp.sum(kept, axis=-1)
    our_others = 1 - mt.ops.sum(mt.ops.exp(log_q), axis=-1)
    named = mt.ops.sum(kept * (jnp.log(kept) - log_q), axis=-1)
    return named + others * (jnp.log(others) - mt.ops.log(our_others))


# %% exercise="kept_divergence" says="The sign: log of the teacher's" loses=["kept_divergence-value", "kept_divergence-sure"]
def keep(logits, k):
    kept, ids = jax.lax.top_k(jax.nn.softmax(logits), k)
    return ids, kept


def kept_divergence(student, ids, kept):
    log_q = mt.ops.take_along_axis(mt.ops.log_softmax(student), ids, axis=-1)
    others = jnp.maximum(1 - jnp.sum(kept, axis=-1), 1e-6)
    our_others = mt.ops.maximum(1 - mt.ops.sum(mt.ops.exp(log_q), axis=-1), 1e-6)
    named = mt.ops.sum(kept * (log_q - jnp.log(kept)), axis=-1)
    return named + others * (mt.ops.log(our_others) - jnp.log(others))


# %% exercise="raise_bias" says="The sign: a row needs" loses=["raise_bias-any"]
def raise_bias(logits, c, share):
    others = jnp.delete(logits, c, axis=1).max(axis=1)
    needed = jnp.sort(logits[:, c] - others)
    return needed[int(np.ceil(round(share * len(logits), 6))) - 1]


# %% exercise="raise_bias" says="One too far" loses=["raise_bias-any"]
def raise_bias(logits, c, share):
    others = jnp.delete(logits, c, axis=1).max(axis=1)
    needed = jnp.sort(others - logits[:, c])
    return needed[min(int(np.ceil(round(share * len(logits), 6))), len(logits) - 1)]


# %% exercise="raise_bias" says="from the largest down" loses=["raise_bias-any"]
def raise_bias(logits, c, share):
    others = jnp.delete(logits, c, axis=1).max(axis=1)
    needed = jnp.sort(others - logits[:, c])[::-1]
    return needed[int(np.ceil(round(share * len(logits), 6))) - 1]
