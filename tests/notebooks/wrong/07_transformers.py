# %% exercise="attention" says="not divided by the root of d" loses=["attention-queries", "attention-batched"]
def attention(q, k, v):
    return ops.softmax(q @ k.mT) @ v


# %% exercise="attention" says="are divided by d" loses=["attention-queries", "attention-batched"]
def attention(q, k, v):
    return ops.softmax(q @ k.mT / q.shape[-1]) @ v


# %% exercise="attention" says="are multiplied by the root of d" loses=["attention-queries", "attention-batched"]
def attention(q, k, v):
    return ops.softmax(q @ k.mT * math.sqrt(q.shape[-1])) @ v


# %% exercise="attention" says="Softmax ran over the queries" loses=["attention-queries", "attention-batched"]
def attention(q, k, v):
    return ops.softmax(q @ k.mT / math.sqrt(q.shape[-1]), axis=-2) @ v


# %% exercise="attention" says="Those are the weights" loses=["attention-queries", "attention-batched"]
def attention(q, k, v):
    return ops.softmax(q @ k.mT / math.sqrt(q.shape[-1]))


# %% exercise="attention" says="root of another size" loses=["attention-batched"]
def attention(q, k, v):
    return ops.softmax(q @ k.mT / math.sqrt(k.shape[-2])) @ v


# %% exercise="attention" says="was given to a function of JAX or NumPy" loses=["attention-batched"]
def attention(q, k, v):
    scores = jnp.einsum("...td,...sd->...ts", q, k) / math.sqrt(q.shape[-1])
    return jax.nn.softmax(scores) @ v


# %% exercise="causal_attention" says="No key was left for the first token" loses=["causal_attention-all", "causal_attention-last"]
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    seen = jnp.arange(S) < jnp.arange(T)[:, None] + (S - T)
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return ops.softmax(ops.where(seen, scores, -jnp.inf)) @ v


# %% exercise="causal_attention" says="All keys of the first token were hidden" loses=["causal_attention-all", "causal_attention-last"]
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    seen = jnp.arange(S) < jnp.arange(T)[:, None] + (S - T)
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return ops.softmax(ops.where(seen, scores, -1e9)) @ v


# %% exercise="causal_attention" says="The mask is the wrong way round" loses=["causal_attention-all", "causal_attention-last"]
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    seen = jnp.arange(S) >= jnp.arange(T)[:, None] + (S - T)
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return ops.softmax(ops.where(seen, scores, -jnp.inf)) @ v


# %% exercise="causal_attention" says="hidden after the softmax" loses=["causal_attention-all", "causal_attention-last"]
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    seen = jnp.arange(S) <= jnp.arange(T)[:, None] + (S - T)
    weights = ops.softmax(q @ k.mT / math.sqrt(q.shape[-1]))
    return ops.where(seen, weights, 0.0) @ v


# %% exercise="causal_attention" says="A score of 0 hides nothing" loses=["causal_attention-all", "causal_attention-last"]
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    seen = jnp.arange(S) <= jnp.arange(T)[:, None] + (S - T)
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return ops.softmax(ops.where(seen, scores, 0.0)) @ v


# %% exercise="causal_attention" says="query t stands at place S - T + t" loses=["causal_attention-last"]
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    seen = jnp.arange(S) <= jnp.arange(T)[:, None]
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return ops.softmax(ops.where(seen, scores, -jnp.inf)) @ v


# %% exercise="causal_attention" says="The future is visible" loses=["causal_attention-all", "causal_attention-last"]
def causal_attention(q, k, v):
    return ops.softmax(q @ k.mT / math.sqrt(q.shape[-1])) @ v


# %% exercise="causal_attention" says="the shift S - T is to be added" loses=["causal_attention-last"]
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    seen = jnp.arange(S) <= jnp.arange(T)[:, None] - (S - T)
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return ops.softmax(ops.where(seen, scores, -jnp.inf)) @ v


# %% exercise="multi_head" says="it cut the text into pieces" loses=["multi_head-heads", "multi_head-tape"]
def multi_head(x, w_qkv, w_out, heads, attend):
    B, T, D = x.shape

    def cut(z):
        return z.reshape(B, heads, T, D // heads)

    q, k, v = (cut(z) for z in ops.split(x @ w_qkv, 3, axis=-1))
    y = attend(q, k, v)
    return y.transpose(0, 2, 1, 3).reshape(B, T, D) @ w_out


# %% exercise="multi_head" says="but not laid back" loses=["multi_head-heads", "multi_head-tape"]
def multi_head(x, w_qkv, w_out, heads, attend):
    B, T, D = x.shape

    def cut(z):
        return z.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)

    q, k, v = (cut(z) for z in ops.split(x @ w_qkv, 3, axis=-1))
    y = attend(q, k, v)
    return y.reshape(B, T, D) @ w_out


# %% exercise="multi_head" says="neither cut nor laid back" loses=["multi_head-heads", "multi_head-tape"]
def multi_head(x, w_qkv, w_out, heads, attend):
    B, T, D = x.shape

    def cut(z):
        return z.reshape(B, heads, T, D // heads)

    q, k, v = (cut(z) for z in ops.split(x @ w_qkv, 3, axis=-1))
    y = attend(q, k, v)
    return y.reshape(B, T, D) @ w_out


# %% exercise="multi_head" says="w_out is missing" loses=["multi_head-heads", "multi_head-tape"]
def multi_head(x, w_qkv, w_out, heads, attend):
    B, T, D = x.shape

    def cut(z):
        return z.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)

    q, k, v = (cut(z) for z in ops.split(x @ w_qkv, 3, axis=-1))
    y = attend(q, k, v)
    return y.transpose(0, 2, 1, 3).reshape(B, T, D)


# %% exercise="multi_head" says="not into (d, H)" loses=["multi_head-heads", "multi_head-tape"]
def multi_head(x, w_qkv, w_out, heads, attend):
    B, T, D = x.shape

    def cut(z):
        return z.reshape(B, T, D // heads, heads).transpose(0, 3, 1, 2)

    q, k, v = (cut(z) for z in ops.split(x @ w_qkv, 3, axis=-1))
    y = attend(q, k, v)
    return y.transpose(0, 2, 1, 3).reshape(B, T, D) @ w_out


# %% exercise="multi_head" says="Yours are exchanged" loses=["multi_head-heads", "multi_head-tape"]
def multi_head(x, w_qkv, w_out, heads, attend):
    B, T, D = x.shape

    def cut(z):
        return z.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)

    k, q, v = (cut(z) for z in ops.split(x @ w_qkv, 3, axis=-1))
    y = attend(q, k, v)
    return y.transpose(0, 2, 1, 3).reshape(B, T, D) @ w_out


# %% exercise="multi_head" says="There is one head only" loses=["multi_head-heads", "multi_head-tape"]
def multi_head(x, w_qkv, w_out, heads, attend):
    q, k, v = ops.split(x @ w_qkv, 3, axis=-1)
    return attend(q[:, None], k[:, None], v[:, None])[:, 0] @ w_out


# %% exercise="multi_head" says="first, and then into q, k and v" loses=["multi_head-heads", "multi_head-tape"]
def multi_head(x, w_qkv, w_out, heads, attend):
    B, T, D = x.shape
    z = (x @ w_qkv).reshape(B, T, heads, 3, D // heads).transpose(3, 0, 2, 1, 4)
    y = attend(z[0], z[1], z[2])
    return y.transpose(0, 2, 1, 3).reshape(B, T, D) @ w_out


# %% exercise="rms_norm" says="that is LayerNorm" loses=["rms_norm-rows", "rms_norm-epsilon"]
def rms_norm(x, scale, epsilon=1e-6):
    centred = x - ops.mean(x, axis=-1, keepdims=True)
    return centred / ops.sqrt(ops.mean(centred * centred, axis=-1, keepdims=True) + epsilon) * scale


# %% exercise="rms_norm" says="scale is missing" loses=["rms_norm-rows"]
def rms_norm(x, scale, epsilon=1e-6):
    return x / ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True) + epsilon)


# %% exercise="rms_norm" says="The sum of squares was taken" loses=["rms_norm-rows", "rms_norm-epsilon"]
def rms_norm(x, scale, epsilon=1e-6):
    return x / ops.sqrt(ops.sum(x * x, axis=-1, keepdims=True) + epsilon) * scale


# %% exercise="rms_norm" says="Its root is missing" loses=["rms_norm-rows", "rms_norm-epsilon"]
def rms_norm(x, scale, epsilon=1e-6):
    return x / (ops.mean(x * x, axis=-1, keepdims=True) + epsilon) * scale


# %% exercise="rms_norm" says="The mean ran over all numbers" loses=["rms_norm-rows", "rms_norm-epsilon"]
def rms_norm(x, scale, epsilon=1e-6):
    return x / ops.sqrt(ops.mean(x * x) + epsilon) * scale


# %% exercise="rms_norm" says="epsilon was added to the root" loses=["rms_norm-epsilon"]
def rms_norm(x, scale, epsilon=1e-6):
    return x / (ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True)) + epsilon) * scale


# %% exercise="rms_norm" says="epsilon has no effect" loses=["rms_norm-epsilon"]
def rms_norm(x, scale, epsilon=1e-6):
    return x / ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True)) * scale


# %% exercise="rms_norm" says="ran over the rows (axis 0)" loses=["rms_norm-rows", "rms_norm-epsilon"]
def rms_norm(x, scale, epsilon=1e-6):
    return x / ops.sqrt(ops.mean(x * x, axis=0) + epsilon) * scale


# %% exercise="rope" says="Neighbours were paired" loses=["rope-turn", "rope-places"]
def rope(x, positions, base=10_000.0):
    d = x.shape[-1]
    speeds = base ** (-jnp.arange(0, d, 2) / d)
    angles = positions[:, None, None] * speeds
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = x[..., ::2], x[..., 1::2]
    return ops.stack([a * cos - b * sin, b * cos + a * sin], axis=-1).reshape(x.shape)


# %% exercise="rope" says="turn the wrong way" loses=["rope-turn", "rope-places"]
def rope(x, positions, base=10_000.0):
    d = x.shape[-1]
    speeds = base ** (-jnp.arange(0, d, 2) / d)
    angles = positions[:, None, None] * speeds
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cos + b * sin, b * cos - a * sin], axis=-1)


# %% exercise="rope" says="That is not a rotation" loses=["rope-turn", "rope-places"]
def rope(x, positions, base=10_000.0):
    d = x.shape[-1]
    speeds = base ** (-jnp.arange(0, d, 2) / d)
    angles = positions[:, None, None] * speeds
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cos - b * sin, b * cos - a * sin], axis=-1)


# %% exercise="rope" says="slow down too little" loses=["rope-turn", "rope-places"]
def rope(x, positions, base=10_000.0):
    d = x.shape[-1]
    speeds = base ** (-jnp.arange(d // 2) / d)
    angles = positions[:, None, None] * speeds
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


# %% exercise="rope" says="The slow hands became fast ones" loses=["rope-turn", "rope-places"]
def rope(x, positions, base=10_000.0):
    d = x.shape[-1]
    speeds = base ** (jnp.arange(0, d, 2) / d)
    angles = positions[:, None, None] * speeds
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


# %% exercise="rope" says="All pairs turn at the same speed" loses=["rope-turn", "rope-places"]
def rope(x, positions, base=10_000.0):
    d = x.shape[-1]
    speeds = jnp.ones(d // 2)
    angles = positions[:, None, None] * speeds
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


# %% exercise="rope" says="counted from 1" loses=["rope-turn", "rope-places"]
def rope(x, positions, base=10_000.0):
    d = x.shape[-1]
    speeds = base ** (-jnp.arange(0, d, 2) / d)
    angles = (positions[:, None, None] + 1) * speeds
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


# %% exercise="rope" says="The angle grew along the heads" loses=["rope-turn", "rope-places"]
def rope(x, positions, base=10_000.0):
    d = x.shape[-1]
    speeds = base ** (-jnp.arange(0, d, 2) / d)
    angles = positions[:, None] * speeds
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


# %% exercise="rope" says="The places were taken as 0, 1, 2" loses=["rope-turn", "rope-places"]
def rope(x, positions, base=10_000.0):
    d = x.shape[-1]
    speeds = base ** (-jnp.arange(0, d, 2) / d)
    angles = jnp.arange(x.shape[1])[:, None, None] * speeds
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


# %% exercise="swiglu" says="logistic function alone" loses=["swiglu-rows"]
def swiglu(x, gate, up, down):
    return (ops.sigmoid(x @ gate) * (x @ up)) @ down


# %% exercise="swiglu" says="gate and up are exchanged" loses=["swiglu-rows"]
def swiglu(x, gate, up, down):
    z = x @ up
    return (z * ops.sigmoid(z) * (x @ gate)) @ down


# %% exercise="swiglu" says="Both sides went through silu" loses=["swiglu-rows"]
def swiglu(x, gate, up, down):
    a, b = x @ gate, x @ up
    return (a * ops.sigmoid(a) * b * ops.sigmoid(b)) @ down


# %% exercise="swiglu" says="The bend is a ReLU" loses=["swiglu-rows"]
def swiglu(x, gate, up, down):
    return (ops.relu(x @ gate) * (x @ up)) @ down


# %% exercise="swiglu" says="The bend is missing" loses=["swiglu-rows"]
def swiglu(x, gate, up, down):
    return ((x @ gate) * (x @ up)) @ down


# %% exercise="swiglu" says="The two were added" loses=["swiglu-rows"]
def swiglu(x, gate, up, down):
    z = x @ gate
    return (z * ops.sigmoid(z) + x @ up) @ down


# %% exercise="swiglu" says="down is missing" loses=["swiglu-rows"]
def swiglu(x, gate, up, down):
    z = x @ gate
    return z * ops.sigmoid(z) * (x @ up)


# %% exercise="grouped_attention" says="dealt like cards" loses=["grouped_attention-groups", "grouped_attention-tape"]
def grouped_attention(q, k, v, attend=causal_attention):
    copies = q.shape[2] // k.shape[2]
    k, v = (ops.tile(z, (1, 1, copies, 1)) for z in (k, v))
    q, k, v = (z.transpose(0, 2, 1, 3) for z in (q, k, v))
    return attend(q, k, v).transpose(0, 2, 1, 3)


# %% exercise="grouped_attention" says="All queries use the first key head" loses=["grouped_attention-groups", "grouped_attention-tape"]
def grouped_attention(q, k, v, attend=causal_attention):
    copies = q.shape[2] // k.shape[2]
    k, v = (ops.repeat(z[:, :, :1], q.shape[2], axis=2) for z in (k, v))
    q, k, v = (z.transpose(0, 2, 1, 3) for z in (q, k, v))
    return attend(q, k, v).transpose(0, 2, 1, 3)


# %% exercise="grouped_attention" says="are not those of one head" loses=["grouped_attention-groups", "grouped_attention-tape"]
def grouped_attention(q, k, v, attend=causal_attention):
    copies = q.shape[2] // k.shape[2]
    k, v = ops.repeat(k, copies, axis=2), ops.tile(v, (1, 1, copies, 1))
    q, k, v = (z.transpose(0, 2, 1, 3) for z in (q, k, v))
    return attend(q, k, v).transpose(0, 2, 1, 3)


# %% exercise="grouped_attention" says="Attention ran over the heads" loses=["grouped_attention-groups", "grouped_attention-tape"]
def grouped_attention(q, k, v, attend=causal_attention):
    copies = q.shape[2] // k.shape[2]
    k, v = (ops.repeat(z, copies, axis=2) for z in (k, v))
    return attend(q, k, v)


# %% exercise="grouped_attention" says="still has the heads in front" loses=["grouped_attention-groups", "grouped_attention-tape"]
def grouped_attention(q, k, v, attend=causal_attention):
    copies = q.shape[2] // k.shape[2]
    k, v = (ops.repeat(z, copies, axis=2) for z in (k, v))
    q, k, v = (z.transpose(0, 2, 1, 3) for z in (q, k, v))
    return attend(q, k, v)


# %% exercise="block" says="The norm stands on the stream" loses=["block-order", "block-shortcut"]
def block(x, attention_norm, attention, mlp_norm, mlp):
    x = attention_norm(x + attention(x))
    return mlp_norm(x + mlp(x))


# %% exercise="block" says="The shortcut around attention is missing" loses=["block-order", "block-shortcut"]
def block(x, attention_norm, attention, mlp_norm, mlp):
    x = attention(attention_norm(x))
    return x + mlp(mlp_norm(x))


# %% exercise="block" says="The shortcut around the feed-forward layer is missing" loses=["block-order", "block-shortcut"]
def block(x, attention_norm, attention, mlp_norm, mlp):
    x = x + attention(attention_norm(x))
    return mlp(mlp_norm(x))


# %% exercise="block" says="Both shortcuts are missing" loses=["block-order", "block-shortcut"]
def block(x, attention_norm, attention, mlp_norm, mlp):
    return mlp(mlp_norm(attention(attention_norm(x))))


# %% exercise="block" says="Both parts read the same x" loses=["block-order"]
def block(x, attention_norm, attention, mlp_norm, mlp):
    return x + attention(attention_norm(x)) + mlp(mlp_norm(x))


# %% exercise="block" says="The shortcuts start behind the norms" loses=["block-order", "block-shortcut"]
def block(x, attention_norm, attention, mlp_norm, mlp):
    x = attention_norm(x)
    x = x + attention(x)
    x = mlp_norm(x)
    return x + mlp(x)


# %% exercise="block" says="The two norms are exchanged" loses=["block-order"]
def block(x, attention_norm, attention, mlp_norm, mlp):
    x = x + attention(mlp_norm(x))
    return x + mlp(attention_norm(x))


# %% exercise="block" says="was added to the x of the beginning" loses=["block-order"]
def block(x, attention_norm, attention, mlp_norm, mlp):
    y = x + attention(attention_norm(x))
    return x + mlp(mlp_norm(y))
