# %% exercise="temperature" says="The logits were multiplied by t" loses=["temperature-warm"]
def temperature(logits, t):
    if t == 0:
        best = jnp.argmax(logits, axis=-1, keepdims=True)
        return jnp.where(jnp.arange(logits.shape[-1]) == best, logits, -jnp.inf)
    return logits * t


# %% exercise="temperature" says="divided by 0" loses=["temperature-zero"]
def temperature(logits, t):
    return logits / t


# %% exercise="temperature" says="These are probabilities" loses=["temperature-warm"]
def temperature(logits, t):
    if t == 0:
        best = jnp.argmax(logits, axis=-1, keepdims=True)
        return jnp.where(jnp.arange(logits.shape[-1]) == best, logits, -jnp.inf)
    return jax.nn.softmax(logits / t, axis=-1)


# %% exercise="temperature" says="Probabilities were divided by t" loses=["temperature-warm"]
def temperature(logits, t):
    if t == 0:
        best = jnp.argmax(logits, axis=-1, keepdims=True)
        return jnp.where(jnp.arange(logits.shape[-1]) == best, logits, -jnp.inf)
    return jax.nn.softmax(logits, axis=-1) / t


# %% exercise="temperature" says="Both of two equals were kept" loses=["temperature-zero"]
def temperature(logits, t):
    if t == 0:
        return jnp.where(logits == logits.max(axis=-1, keepdims=True), logits, -jnp.inf)
    return logits / t


# %% exercise="temperature" says="The others got the logit 0" loses=["temperature-zero"]
def temperature(logits, t):
    if t == 0:
        best = jnp.argmax(logits, axis=-1, keepdims=True)
        return jnp.where(jnp.arange(logits.shape[-1]) == best, logits, 0.0)
    return logits / t


# %% exercise="temperature" says="This marks the most likely token with 1" loses=["temperature-zero"]
def temperature(logits, t):
    if t == 0:
        return jax.nn.one_hot(logits.argmax(axis=-1), logits.shape[-1])
    return logits / t


# %% exercise="pick" says="This is the most likely word, wherever the dart fell" loses=["pick-rows", "pick-seams", "speculate-tokens"]
def pick(weights, u):
    return jnp.argmax(weights, axis=-1)


# %% exercise="pick" says="a word of length 0 was hit" loses=["pick-seams"]
def pick(weights, u):
    ends = jnp.cumsum(weights, axis=-1)
    return jnp.argmax(ends >= jnp.asarray(u)[..., None] * ends[..., -1:], axis=-1)


# %% exercise="pick" says="The dart was not multiplied by the sum of the weights" loses=["pick-seams", "speculate-tokens"]
def pick(weights, u):
    ends = jnp.cumsum(weights, axis=-1)
    return jnp.argmax(ends > jnp.asarray(u)[..., None], axis=-1)


# %% exercise="pick" says="this token does not exist" loses=["pick-seams", "speculate-tokens"]
def pick(weights, u):
    return (jnp.cumsum(weights, axis=-1) <= jnp.asarray(u)[..., None]).sum(axis=-1)


# %% exercise="pick" says="the word before the one that is hit" loses=["pick-rows", "pick-seams", "speculate-tokens"]
def pick(weights, u):
    ends = jnp.cumsum(weights, axis=-1)
    return jnp.argmax(ends > jnp.asarray(u)[..., None] * ends[..., -1:], axis=-1) - 1


# %% exercise="pick" says="The sums run down the rows" loses=["pick-rows", "pick-seams"]
def pick(weights, u):
    ends = jnp.cumsum(weights, axis=0)
    return jnp.argmax(ends > jnp.asarray(u)[..., None] * ends[..., -1:], axis=-1)


# %% exercise="top_k" says="taken for ids" loses=["top_k-rows", "top_k-ties"]
def top_k(logits, k):
    order = jnp.argsort(logits, axis=-1, descending=True)
    return jnp.where(order < k, logits, -jnp.inf)


# %% exercise="top_k" says="All that tie with the last one were kept" loses=["top_k-ties"]
def top_k(logits, k):
    least = jnp.sort(logits, axis=-1, descending=True)[..., min(k, logits.shape[-1]) - 1]
    return jnp.where(logits < least[..., None], -jnp.inf, logits)


# %% exercise="top_k" says="Of equals the last one was kept" loses=["top_k-ties"]
def top_k(logits, k):
    order = jnp.argsort(logits, axis=-1)[..., ::-1]
    return jnp.where(jnp.argsort(order, axis=-1) < k, logits, -jnp.inf)


# %% exercise="top_k" says="least likely were kept" loses=["top_k-rows", "top_k-ties"]
def top_k(logits, k):
    order = jnp.argsort(logits, axis=-1)
    return jnp.where(jnp.argsort(order, axis=-1) < k, logits, -jnp.inf)


# %% exercise="top_k" says="One too many was kept" loses=["top_k-rows", "top_k-ties"]
def top_k(logits, k):
    order = jnp.argsort(logits, axis=-1, descending=True)
    return jnp.where(jnp.argsort(order, axis=-1) <= k, logits, -jnp.inf)


# %% exercise="top_k" says="The others got the logit 0" loses=["top_k-rows", "top_k-ties"]
def top_k(logits, k):
    order = jnp.argsort(logits, axis=-1, descending=True)
    return jnp.where(jnp.argsort(order, axis=-1) < k, logits, 0.0)


# %% exercise="top_k" says="The logits are sorted" loses=["top_k-rows", "top_k-ties"]
def top_k(logits, k):
    ordered = jnp.sort(logits, axis=-1, descending=True)
    return jnp.where(jnp.arange(logits.shape[-1]) < k, ordered, -jnp.inf)


# %% exercise="top_k" says="The ranks run down the columns" loses=["top_k-rows", "top_k-ties"]
def top_k(logits, k):
    order = jnp.argsort(logits, axis=0, descending=True)
    return jnp.where(jnp.argsort(order, axis=0) < k, logits, -jnp.inf)


# %% exercise="top_p" says="The word that crosses the line is lost" loses=["top_p-rows", "top_p-sure"]
def top_p(logits, p):
    order = jnp.argsort(logits, axis=-1, descending=True)
    likely = jnp.take_along_axis(jax.nn.softmax(logits, axis=-1), order, axis=-1)
    kept = jnp.take_along_axis(jnp.cumsum(likely, axis=-1) <= p, jnp.argsort(order, axis=-1), axis=-1)
    return jnp.where(kept, logits, -jnp.inf)


# %% exercise="top_p" says="One word too many was kept" loses=["top_p-rows", "top_p-sure"]
def top_p(logits, p):
    order = jnp.argsort(logits, axis=-1, descending=True)
    likely = jnp.take_along_axis(jax.nn.softmax(logits, axis=-1), order, axis=-1)
    before = jnp.cumsum(likely, axis=-1) - likely
    kept = jnp.roll(before < p, 1, axis=-1).at[..., 0].set(True)
    return jnp.where(jnp.take_along_axis(kept, jnp.argsort(order, axis=-1), axis=-1), logits, -jnp.inf)


# %% exercise="top_p" says="The sum begins with the least likely words" loses=["top_p-rows", "top_p-sure"]
def top_p(logits, p):
    order = jnp.argsort(logits, axis=-1)
    likely = jnp.take_along_axis(jax.nn.softmax(logits, axis=-1), order, axis=-1)
    before = jnp.cumsum(likely, axis=-1) - likely
    kept = jnp.take_along_axis(before < p, jnp.argsort(order, axis=-1), axis=-1)
    return jnp.where(kept, logits, -jnp.inf)


# %% exercise="top_p" says="summed up in their places" loses=["top_p-rows", "top_p-sure"]
def top_p(logits, p):
    likely = jax.nn.softmax(logits, axis=-1)
    before = jnp.cumsum(likely, axis=-1) - likely
    return jnp.where(before < p, logits, -jnp.inf)


# %% exercise="top_p" says="The places in the order were taken for ids" loses=["top_p-rows", "top_p-sure"]
def top_p(logits, p):
    order = jnp.argsort(logits, axis=-1, descending=True)
    likely = jnp.take_along_axis(jax.nn.softmax(logits, axis=-1), order, axis=-1)
    before = jnp.cumsum(likely, axis=-1) - likely
    return jnp.where(before < p, logits, -jnp.inf)


# %% exercise="top_p" says="The logits were summed up" loses=["top_p-rows"]
def top_p(logits, p):
    order = jnp.argsort(logits, axis=-1, descending=True)
    likely = jnp.take_along_axis(logits, order, axis=-1)
    before = jnp.cumsum(likely, axis=-1) - likely
    kept = jnp.take_along_axis(before < p, jnp.argsort(order, axis=-1), axis=-1)
    return jnp.where(kept, logits, -jnp.inf)


# %% exercise="top_p" says="The others got the logit 0" loses=["top_p-rows", "top_p-sure"]
def top_p(logits, p):
    order = jnp.argsort(logits, axis=-1, descending=True)
    likely = jnp.take_along_axis(jax.nn.softmax(logits, axis=-1), order, axis=-1)
    before = jnp.cumsum(likely, axis=-1) - likely
    kept = jnp.take_along_axis(before < p, jnp.argsort(order, axis=-1), axis=-1)
    return jnp.where(kept, logits, 0.0)


# %% exercise="generate" says="The prompt is part of the result" loses=["generate-window", "generate-stop"]
def generate(next_logits, ids, count, choose, context, stop=None):
    text = list(ids)
    for i in range(count):
        text.append(int(choose(next_logits(text[-context:]), i)))
        if text[-1] == stop:
            break
    return text


# %% exercise="generate" says="The model sees the first tokens of the text" loses=["generate-window"]
def generate(next_logits, ids, count, choose, context, stop=None):
    text = list(ids)
    for i in range(count):
        text.append(int(choose(next_logits(text[:context]), i)))
        if text[-1] == stop:
            break
    return text[len(ids) :]


# %% exercise="generate" says="The model never sees what was drawn" loses=["generate-window", "generate-stop"]
def generate(next_logits, ids, count, choose, context, stop=None):
    new = []
    for i in range(count):
        new.append(int(choose(next_logits(ids[-context:]), i)))
        if new[-1] == stop:
            break
    return new


# %% exercise="generate" says="The model sees only the last token" loses=["generate-window"]
def generate(next_logits, ids, count, choose, context, stop=None):
    text = list(ids)
    for i in range(count):
        text.append(int(choose(next_logits(text[-1:]), i)))
        if text[-1] == stop:
            break
    return text[len(ids) :]


# %% exercise="generate" says="The model sees more than its context" loses=["generate-window"]
def generate(next_logits, ids, count, choose, context, stop=None):
    text = list(ids)
    for i in range(count):
        text.append(int(choose(next_logits(text), i)))
        if text[-1] == stop:
            break
    return text[len(ids) :]


# %% exercise="generate" says="The stop token is missing" loses=["generate-stop"]
def generate(next_logits, ids, count, choose, context, stop=None):
    text = list(ids)
    for i in range(count):
        token = int(choose(next_logits(text[-context:]), i))
        if token == stop:
            break
        text.append(token)
    return text[len(ids) :]


# %% exercise="generate" says="The stop token stops nothing" loses=["generate-stop"]
def generate(next_logits, ids, count, choose, context, stop=None):
    text = list(ids)
    for i in range(count):
        text.append(int(choose(next_logits(text[-context:]), i)))
    return text[len(ids) :]


# %% exercise="generate" says="`choose` got 0 each time" loses=["generate-window"]
def generate(next_logits, ids, count, choose, context, stop=None):
    text = list(ids)
    for _ in range(count):
        text.append(int(choose(next_logits(text[-context:]), 0)))
        if text[-1] == stop:
            break
    return text[len(ids) :]


# %% exercise="generate" says="the prompt itself was made longer" loses=["generate-window", "generate-stop"]
def generate(next_logits, ids, count, choose, context, stop=None):
    text = ids
    for i in range(count):
        text.append(int(choose(next_logits(text[-context:]), i)))
        if text[-1] == stop:
            break
    return text[len(ids) :]


# %% exercise="tokens_read" says="With a cache, the last token is not read" loses=["tokens_read-counts"]
def tokens_read(prompt, count):
    return sum(prompt + i for i in range(count)), prompt + count


# %% exercise="tokens_read" says="Without a cache, the last token is not read either" loses=["tokens_read-counts"]
def tokens_read(prompt, count):
    return sum(prompt + i for i in range(count + 1)), prompt + count - 1


# %% exercise="tokens_read" says="it grows with each token" loses=["tokens_read-counts"]
def tokens_read(prompt, count):
    return count * (prompt + count - 1), prompt + count - 1


# %% exercise="tokens_read" says="what was drawn is read too" loses=["tokens_read-counts"]
def tokens_read(prompt, count):
    return count * prompt, prompt + count - 1


# %% exercise="tokens_read" says="swapped" loses=["tokens_read-counts"]
def tokens_read(prompt, count):
    return prompt + count - 1, sum(prompt + i for i in range(count))


# %% exercise="cached_attention" says="The tokens were written at the beginning" loses=["cached_attention-append", "cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    return Cache(write(cache.k, k, 0, axis=1), write(cache.v, v, 0, axis=1), cache.position + k.shape[1])


def cached_attention(layer, x, cache):
    positions = cache.position + jnp.arange(x.shape[1])
    q, k, v = project(layer, x)
    cache = append(cache, turn(layer, k, positions), v)
    seen = jnp.arange(cache.k.shape[1]) <= positions[:, None]
    y = mt.ops.attention(turn(layer, q, positions), cache.k, cache.v, mask=seen[None, None])
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="cached_attention" says="The position did not move on" loses=["cached_attention-append", "cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    return Cache(keys, write(cache.v, v, cache.position, axis=1), cache.position)


def cached_attention(layer, x, cache):
    positions = cache.position + jnp.arange(x.shape[1])
    q, k, v = project(layer, x)
    cache = append(cache, turn(layer, k, positions), v)
    seen = jnp.arange(cache.k.shape[1]) <= positions[:, None]
    y = mt.ops.attention(turn(layer, q, positions), cache.k, cache.v, mask=seen[None, None])
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="cached_attention" says="The position moved on by 1" loses=["cached_attention-append", "cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    return Cache(keys, write(cache.v, v, cache.position, axis=1), cache.position + 1)


def cached_attention(layer, x, cache):
    positions = cache.position + jnp.arange(x.shape[1])
    q, k, v = project(layer, x)
    cache = append(cache, turn(layer, k, positions), v)
    seen = jnp.arange(cache.k.shape[1]) <= positions[:, None]
    y = mt.ops.attention(turn(layer, q, positions), cache.k, cache.v, mask=seen[None, None])
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="cached_attention" says="The positions begin at 0 in every call" loses=["cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    return Cache(keys, write(cache.v, v, cache.position, axis=1), cache.position + k.shape[1])


def cached_attention(layer, x, cache):
    places = jnp.arange(x.shape[1])
    q, k, v = project(layer, x)
    seen = jnp.arange(cache.k.shape[1]) <= (cache.position + places)[:, None]
    cache = append(cache, turn(layer, k, places), v)
    y = mt.ops.attention(turn(layer, q, places), cache.k, cache.v, mask=seen[None, None])
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="cached_attention" says="Nothing is masked" loses=["cached_attention-prompt", "cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    return Cache(keys, write(cache.v, v, cache.position, axis=1), cache.position + k.shape[1])


def cached_attention(layer, x, cache):
    positions = cache.position + jnp.arange(x.shape[1])
    q, k, v = project(layer, x)
    cache = append(cache, turn(layer, k, positions), v)
    y = mt.ops.attention(turn(layer, q, positions), cache.k, cache.v)
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="cached_attention" says="A token sees those that come after it in the same call" loses=["cached_attention-prompt", "cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    return Cache(keys, write(cache.v, v, cache.position, axis=1), cache.position + k.shape[1])


def cached_attention(layer, x, cache):
    positions = cache.position + jnp.arange(x.shape[1])
    q, k, v = project(layer, x)
    cache = append(cache, turn(layer, k, positions), v)
    written = jnp.arange(cache.k.shape[1]) < cache.position
    y = mt.ops.attention(turn(layer, q, positions), cache.k, cache.v, mask=written[None, None, None])
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="cached_attention" says="A token does not see itself" loses=["cached_attention-prompt", "cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    return Cache(keys, write(cache.v, v, cache.position, axis=1), cache.position + k.shape[1])


def cached_attention(layer, x, cache):
    positions = cache.position + jnp.arange(x.shape[1])
    q, k, v = project(layer, x)
    cache = append(cache, turn(layer, k, positions), v)
    seen = jnp.arange(cache.k.shape[1]) < positions[:, None]
    y = mt.ops.attention(turn(layer, q, positions), cache.k, cache.v, mask=seen[None, None])
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="cached_attention" says="The new token sees only itself" loses=["cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    return Cache(keys, write(cache.v, v, cache.position, axis=1), cache.position + k.shape[1])


def cached_attention(layer, x, cache):
    positions = cache.position + jnp.arange(x.shape[1])
    q, k, v = project(layer, x)
    longer = append(cache, turn(layer, k, positions), v)
    seen = jnp.arange(cache.k.shape[1]) <= positions[:, None]
    y = mt.ops.attention(turn(layer, q, positions), longer.k, longer.v, mask=seen[None, None])
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="cached_attention" says="The keys were kept as they are" loses=["cached_attention-prompt", "cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    return Cache(keys, write(cache.v, v, cache.position, axis=1), cache.position + k.shape[1])


def cached_attention(layer, x, cache):
    positions = cache.position + jnp.arange(x.shape[1])
    q, k, v = project(layer, x)
    cache = append(cache, k, v)
    seen = jnp.arange(cache.k.shape[1]) <= positions[:, None]
    y = mt.ops.attention(turn(layer, q, positions), cache.k, cache.v, mask=seen[None, None])
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="cached_attention" says="The values were turned too" loses=["cached_attention-prompt", "cached_attention-step"]
def append(cache, k, v):
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    return Cache(keys, write(cache.v, v, cache.position, axis=1), cache.position + k.shape[1])


def cached_attention(layer, x, cache):
    positions = cache.position + jnp.arange(x.shape[1])
    q, k, v = (turn(layer, part, positions) for part in project(layer, x))
    cache = append(cache, k, v)
    seen = jnp.arange(cache.k.shape[1]) <= positions[:, None]
    y = mt.ops.attention(q, cache.k, cache.v, mask=seen[None, None])
    return layer.out(y.reshape(x.shape)), cache


# %% exercise="generate_cached" says="the whole text was read into it again" loses=["generate_cached-tokens", "generate_cached-reads"]
def generate_cached(decode, cache, ids, count, choose, stop=None):
    new = []
    for i in range(count):
        logits, cache = decode(jnp.array(list(ids) + new), cache)
        new.append(int(choose(logits[-1], i)))
        if new[-1] == stop:
            break
    return new


# %% exercise="generate_cached" says="The prompt's last token was read twice" loses=["generate_cached-tokens", "generate_cached-reads"]
def generate_cached(decode, cache, ids, count, choose, stop=None):
    _, cache = decode(jnp.array(ids), cache)
    text = list(ids)
    for i in range(count):
        logits, cache = decode(jnp.array(text[-1:]), cache)
        text.append(int(choose(logits[-1], i)))
        if text[-1] == stop:
            break
    return text[len(ids) :]


# %% exercise="generate_cached" says="What was read is forgotten" loses=["generate_cached-tokens"]
def generate_cached(decode, cache, ids, count, choose, stop=None):
    new, unread = [], list(ids)
    for i in range(count):
        logits, _ = decode(jnp.array(unread), cache)
        unread = [int(choose(logits[-1], i))]
        new += unread
        if unread == [stop]:
            break
    return new


# %% exercise="generate_cached" says="The logits are those after the first token" loses=["generate_cached-tokens", "generate_cached-reads"]
def generate_cached(decode, cache, ids, count, choose, stop=None):
    new, unread = [], list(ids)
    for i in range(count):
        logits, cache = decode(jnp.array(unread), cache)
        unread = [int(choose(logits[0], i))]
        new += unread
        if unread == [stop]:
            break
    return new


# %% exercise="generate_cached" says="The last token was read" loses=["generate_cached-reads"]
def generate_cached(decode, cache, ids, count, choose, stop=None):
    logits, cache = decode(jnp.array(ids), cache)
    new = []
    for i in range(count):
        new.append(int(choose(logits[-1], i)))
        logits, cache = decode(jnp.array(new[-1:]), cache)
        if new[-1] == stop:
            break
    return new


# %% exercise="generate_cached" says="The prompt was read token by token" loses=["generate_cached-reads"]
def generate_cached(decode, cache, ids, count, choose, stop=None):
    for token in ids:
        logits, cache = decode(jnp.array([token]), cache)
    new = []
    for i in range(count):
        if new:
            logits, cache = decode(jnp.array(new[-1:]), cache)
        new.append(int(choose(logits[-1], i)))
        if new[-1] == stop:
            break
    return new


# %% exercise="generate_cached" says="The stop token stops nothing" loses=["generate_cached-reads"]
def generate_cached(decode, cache, ids, count, choose, stop=None):
    new, unread = [], list(ids)
    for i in range(count):
        logits, cache = decode(jnp.array(unread), cache)
        unread = [int(choose(logits[-1], i))]
        new += unread
    return new


# %% exercise="generate_cached" says="`choose` got 0 each time" loses=["generate_cached-tokens"]
def generate_cached(decode, cache, ids, count, choose, stop=None):
    new, unread = [], list(ids)
    for _ in range(count):
        logits, cache = decode(jnp.array(unread), cache)
        unread = [int(choose(logits[-1], 0))]
        new += unread
        if unread == [stop]:
            break
    return new


# %% exercise="cache_bytes" says="Keys or values are missing" loses=["cache_bytes-sizes"]
def cache_bytes(config, tokens, batch=1, bytes_per_number=2):
    numbers = config.layers * (config.kv_heads or config.heads) * (config.width // config.heads)
    return numbers * tokens * batch * bytes_per_number


# %% exercise="cache_bytes" says="Every query head was counted" loses=["cache_bytes-sizes"]
def cache_bytes(config, tokens, batch=1, bytes_per_number=2):
    return 2 * config.layers * config.width * tokens * batch * bytes_per_number


# %% exercise="cache_bytes" says="The layers are missing" loses=["cache_bytes-sizes"]
def cache_bytes(config, tokens, batch=1, bytes_per_number=2):
    numbers = 2 * (config.kv_heads or config.heads) * (config.width // config.heads)
    return numbers * tokens * batch * bytes_per_number


# %% exercise="cache_bytes" says="The batch is missing" loses=["cache_bytes-sizes"]
def cache_bytes(config, tokens, batch=1, bytes_per_number=2):
    numbers = 2 * config.layers * (config.kv_heads or config.heads) * (config.width // config.heads)
    return numbers * tokens * bytes_per_number


# %% exercise="cache_bytes" says="These are numbers, and not yet bytes" loses=["cache_bytes-sizes"]
def cache_bytes(config, tokens, batch=1, bytes_per_number=2):
    return 2 * config.layers * (config.kv_heads or config.heads) * (config.width // config.heads) * tokens * batch


# %% exercise="min_p" says="All rows were compared with one number" loses=["min_p-rows"]
def min_p(logits, p):
    return jnp.where(logits >= logits.max() + jnp.log(p), logits, -jnp.inf)


# %% exercise="min_p" says="A logit was compared with a share of the largest logit" loses=["min_p-rows"]
def min_p(logits, p):
    return jnp.where(logits >= p * logits.max(axis=-1, keepdims=True), logits, -jnp.inf)


# %% exercise="speculate" says="After a rejection a token is drawn from the target" loses=["speculate-tokens"]
def speculate(target, draft, tokens, accepts, last):
    for i, token in enumerate(tokens):
        if accepts[i] * draft[i, token] >= target[i, token]:
            return [*tokens[:i], int(pick(target[i], last))]
    return [*tokens, int(pick(target[len(tokens)], last))]


# %% exercise="speculate" says="What was guessed behind a rejected token was kept" loses=["speculate-tokens"]
def speculate(target, draft, tokens, accepts, last):
    kept = []
    for i, token in enumerate(tokens):
        if accepts[i] * draft[i, token] < target[i, token]:
            kept.append(token)
        else:
            kept.append(int(pick(jnp.maximum(target[i] - draft[i], 0), last)))
    return kept if kept != list(tokens) else [*tokens, int(pick(target[len(tokens)], last))]


# %% exercise="speculate" says="The token that comes for free is missing" loses=["speculate-tokens"]
def speculate(target, draft, tokens, accepts, last):
    for i, token in enumerate(tokens):
        if accepts[i] * draft[i, token] >= target[i, token]:
            return [*tokens[:i], int(pick(jnp.maximum(target[i] - draft[i], 0), last))]
    return list(tokens)
