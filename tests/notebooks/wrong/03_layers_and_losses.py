# %% exercise="linear" says="(inputs, outputs)" loses=["linear-init", "linear-call"]
class Linear(nn.Module):
    weight: jax.Array
    bias: jax.Array

    @classmethod
    def init(cls, key, inputs, outputs, weight_init):
        return cls(weight_init(fold_in_name(key, "weight"), (outputs, inputs)), jnp.zeros(outputs))

    def __call__(self, x):
        return x @ self.weight.T + self.bias


# %% exercise="linear" says="drawn with the layer's own key" loses=["linear-init"]
class Linear(nn.Module):
    weight: jax.Array
    bias: jax.Array

    @classmethod
    def init(cls, key, inputs, outputs, weight_init):
        return cls(weight_init(key, (inputs, outputs)), jnp.zeros(outputs))

    def __call__(self, x):
        return x @ self.weight + self.bias


# %% exercise="linear" says="one number for each output" loses=["linear-init"]
class Linear(nn.Module):
    weight: jax.Array
    bias: jax.Array

    @classmethod
    def init(cls, key, inputs, outputs, weight_init):
        return cls(weight_init(fold_in_name(key, "weight"), (inputs, outputs)), jnp.zeros(inputs))

    def __call__(self, x):
        return x @ self.weight + self.bias


# %% exercise="linear" says="begins at 0" loses=["linear-init"]
class Linear(nn.Module):
    weight: jax.Array
    bias: jax.Array

    @classmethod
    def init(cls, key, inputs, outputs, weight_init):
        return cls(
            weight_init(fold_in_name(key, "weight"), (inputs, outputs)),
            weight_init(fold_in_name(key, "bias"), (outputs,)),
        )

    def __call__(self, x):
        return x @ self.weight + self.bias


# %% exercise="linear" says="The bias is missing" loses=["linear-call"]
class Linear(nn.Module):
    weight: jax.Array
    bias: jax.Array

    @classmethod
    def init(cls, key, inputs, outputs, weight_init):
        return cls(weight_init(fold_in_name(key, "weight"), (inputs, outputs)), jnp.zeros(outputs))

    def __call__(self, x):
        return x @ self.weight


# %% exercise="linear" says="did not multiply" loses=["linear-call"]
class Linear(nn.Module):
    weight: jax.Array
    bias: jax.Array

    @classmethod
    def init(cls, key, inputs, outputs, weight_init):
        return cls(weight_init(fold_in_name(key, "weight"), (inputs, outputs)), jnp.zeros(outputs))

    def __call__(self, x):
        return (x + self.bias) @ self.weight


# %% exercise="gelu" says="x itself is missing" loses=["gelu-value"]
def gelu(x):
    return normal_cdf(x)


def gelu_rule(g, y, x):
    return g * (normal_cdf(x) + x * normal_density(x))


# %% exercise="gelu" says="density" loses=["gelu-value"]
def gelu(x):
    return x * normal_density(x)


def gelu_rule(g, y, x):
    return g * (normal_cdf(x) + x * normal_density(x))


# %% exercise="gelu" says="the slope without g" loses=["gelu-slope"]
def gelu(x):
    return x * normal_cdf(x)


def gelu_rule(g, y, x):
    return normal_cdf(x) + x * normal_density(x)


# %% exercise="gelu" says="as if the gate were constant" loses=["gelu-slope"]
def gelu(x):
    return x * normal_cdf(x)


def gelu_rule(g, y, x):
    return g * normal_cdf(x)


# %% exercise="gelu" says="times x" loses=["gelu-slope"]
def gelu(x):
    return x * normal_cdf(x)


def gelu_rule(g, y, x):
    return g * (normal_cdf(x) + normal_density(x))


# %% exercise="gelu" says="the result y" loses=["gelu-slope"]
def gelu(x):
    return x * normal_cdf(x)


def gelu_rule(g, y, x):
    return g * (normal_cdf(y) + y * normal_density(y))


# %% exercise="cross_entropy" says="exp of a large number" loses=["cross_entropy-large", "cross_entropy-mean"]
def log_sum_exp(x):
    return ops.log(ops.sum(ops.exp(x), axis=-1))


def cross_entropy(logits, targets):
    return ops.mean(log_sum_exp(logits)) - ops.mean(ops.take_along_axis(logits, targets[..., None], axis=-1))


# %% exercise="cross_entropy" says="must be added again" loses=["cross_entropy-log_sum_exp", "cross_entropy-large", "cross_entropy-mean"]
def log_sum_exp(x):
    m = ops.max(x, axis=-1)
    return ops.log(ops.sum(ops.exp(x - m[..., None]), axis=-1))


def cross_entropy(logits, targets):
    return ops.mean(log_sum_exp(logits)) - ops.mean(ops.take_along_axis(logits, targets[..., None], axis=-1))


# %% exercise="cross_entropy" says="Each row has a maximum of its own" loses=["cross_entropy-large"]
def log_sum_exp(x):
    m = ops.max(x)
    return ops.log(ops.sum(ops.exp(x - m), axis=-1)) + m


def cross_entropy(logits, targets):
    return ops.mean(log_sum_exp(logits)) - ops.mean(ops.take_along_axis(logits, targets[..., None], axis=-1))


# %% exercise="cross_entropy" says="over all axes" loses=["cross_entropy-log_sum_exp", "cross_entropy-large", "cross_entropy-mean"]
def log_sum_exp(x):
    m = ops.max(x)
    return ops.log(ops.sum(ops.exp(x - m))) + m


def cross_entropy(logits, targets):
    return ops.mean(log_sum_exp(logits)) - ops.mean(ops.take_along_axis(logits, targets[..., None], axis=-1))


# %% exercise="cross_entropy" says="the sum of the losses" loses=["cross_entropy-mean"]
def log_sum_exp(x):
    m = ops.max(x, axis=-1)
    return ops.log(ops.sum(ops.exp(x - m[..., None]), axis=-1)) + m


def cross_entropy(logits, targets):
    return ops.sum(log_sum_exp(logits)) - ops.sum(ops.take_along_axis(logits, targets[..., None], axis=-1))


# %% exercise="cross_entropy" says="A loss is not negative" loses=["cross_entropy-mean"]
def log_sum_exp(x):
    m = ops.max(x, axis=-1)
    return ops.log(ops.sum(ops.exp(x - m[..., None]), axis=-1)) + m


def cross_entropy(logits, targets):
    return ops.mean(ops.take_along_axis(logits, targets[..., None], axis=-1)) - ops.mean(log_sum_exp(logits))


# %% exercise="cross_entropy" says="in bits" loses=["cross_entropy-mean"]
def log_sum_exp(x):
    m = ops.max(x, axis=-1)
    return ops.log(ops.sum(ops.exp(x - m[..., None]), axis=-1)) + m


def cross_entropy(logits, targets):
    at_target = ops.take_along_axis(logits, targets[..., None], axis=-1)
    return (ops.mean(log_sum_exp(logits)) - ops.mean(at_target)) / math.log(2)


# %% exercise="cross_entropy" says="logarithm of the mean probability" loses=["cross_entropy-mean"]
def log_sum_exp(x):
    m = ops.max(x, axis=-1)
    return ops.log(ops.sum(ops.exp(x - m[..., None]), axis=-1)) + m


def cross_entropy(logits, targets):
    at_target = ops.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return -ops.log(ops.mean(ops.exp(at_target - log_sum_exp(logits))))


# %% exercise="cross_entropy_rule" says="The sign is wrong" loses=["cross_entropy_rule-batch", "cross_entropy_rule-more-axes"]
def cross_entropy_rule(g, y, logits, targets):
    right = ops.one_hot(targets, logits.shape[-1])
    return g * (right - ops.softmax(logits)) / targets.size


# %% exercise="cross_entropy_rule" says="one part in N" loses=["cross_entropy_rule-batch", "cross_entropy_rule-more-axes"]
def cross_entropy_rule(g, y, logits, targets):
    right = ops.one_hot(targets, logits.shape[-1])
    return g * (ops.softmax(logits) - right)


# %% exercise="cross_entropy_rule" says="without g" loses=["cross_entropy_rule-batch", "cross_entropy_rule-more-axes"]
def cross_entropy_rule(g, y, logits, targets):
    right = ops.one_hot(targets, logits.shape[-1])
    return (ops.softmax(logits) - right) / targets.size


# %% exercise="cross_entropy_rule" says="not by the number of scores" loses=["cross_entropy_rule-batch", "cross_entropy_rule-more-axes"]
def cross_entropy_rule(g, y, logits, targets):
    right = ops.one_hot(targets, logits.shape[-1])
    return g * (ops.softmax(logits) - right) / logits.size


# %% exercise="cross_entropy_rule" says="number of targets" loses=["cross_entropy_rule-more-axes"]
def cross_entropy_rule(g, y, logits, targets):
    right = ops.one_hot(targets, logits.shape[-1])
    return g * (ops.softmax(logits) - right) / len(targets)


# %% exercise="cross_entropy_rule" says="1 must be subtracted" loses=["cross_entropy_rule-batch", "cross_entropy_rule-more-axes"]
def cross_entropy_rule(g, y, logits, targets):
    return g * ops.softmax(logits) / targets.size


# %% exercise="cross_entropy_rule" says="over the wrong axis" loses=["cross_entropy_rule-batch", "cross_entropy_rule-more-axes"]
def cross_entropy_rule(g, y, logits, targets):
    right = ops.one_hot(targets, logits.shape[-1])
    return g * (ops.softmax(logits, 0) - right) / targets.size


# %% exercise="variance_scaling" says="standard deviation" loses=["variance_scaling-fan_in", "variance_scaling-other-fans"]
def variance_scaling(scale, mode):
    def init(key, shape):
        inputs, outputs = shape
        fan = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[mode]
        return scale / fan * jax.random.normal(key, shape)

    return init


# %% exercise="variance_scaling" says="exchanged" loses=["variance_scaling-fan_in", "variance_scaling-other-fans"]
def variance_scaling(scale, mode):
    def init(key, shape):
        outputs, inputs = shape
        fan = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[mode]
        return math.sqrt(scale / fan) * jax.random.normal(key, shape)

    return init


# %% exercise="variance_scaling" says="mean of the two" loses=["variance_scaling-other-fans"]
def variance_scaling(scale, mode):
    def init(key, shape):
        inputs, outputs = shape
        fan = {"fan_in": inputs, "fan_out": outputs, "fan_avg": inputs + outputs}[mode]
        return math.sqrt(scale / fan) * jax.random.normal(key, shape)

    return init


# %% exercise="variance_scaling" says="`scale` stands under the root" loses=["variance_scaling-fan_in", "variance_scaling-other-fans"]
def variance_scaling(scale, mode):
    def init(key, shape):
        inputs, outputs = shape
        fan = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[mode]
        return scale / math.sqrt(fan) * jax.random.normal(key, shape)

    return init


# %% exercise="variance_scaling" says="upside down" loses=["variance_scaling-fan_in", "variance_scaling-other-fans"]
def variance_scaling(scale, mode):
    def init(key, shape):
        inputs, outputs = shape
        fan = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[mode]
        return math.sqrt(fan / scale) * jax.random.normal(key, shape)

    return init


# %% exercise="layer_norm" says="of its own row" loses=["layer_norm-standardized", "layer_norm-rows", "layer_norm-edges"]
def standardized(x, epsilon):
    centered = x - ops.mean(x, axis=0, keepdims=True)
    deviation = ops.sqrt(ops.mean(centered * centered, axis=0, keepdims=True) + epsilon)
    return centered / deviation, deviation


def layer_norm(x, scale, bias, epsilon=1e-5):
    return standardized(x, epsilon)[0] * scale + bias


# %% exercise="layer_norm" says="a square root is missing" loses=["layer_norm-standardized", "layer_norm-rows", "layer_norm-edges"]
def standardized(x, epsilon):
    centered = x - ops.mean(x, axis=-1, keepdims=True)
    deviation = ops.mean(centered * centered, axis=-1, keepdims=True) + epsilon
    return centered / deviation, deviation


def layer_norm(x, scale, bias, epsilon=1e-5):
    return standardized(x, epsilon)[0] * scale + bias


# %% exercise="layer_norm" says="under the root" loses=["layer_norm-standardized", "layer_norm-rows"]
def standardized(x, epsilon):
    centered = x - ops.mean(x, axis=-1, keepdims=True)
    deviation = ops.sqrt(ops.mean(centered * centered, axis=-1, keepdims=True)) + epsilon
    return centered / deviation, deviation


def layer_norm(x, scale, bias, epsilon=1e-5):
    return standardized(x, epsilon)[0] * scale + bias


# %% exercise="layer_norm" says="D - 1" loses=["layer_norm-standardized", "layer_norm-rows", "layer_norm-edges"]
def standardized(x, epsilon):
    centered = x - ops.mean(x, axis=-1, keepdims=True)
    deviation = ops.sqrt(ops.var(x, axis=-1, ddof=1, keepdims=True) + epsilon)
    return centered / deviation, deviation


def layer_norm(x, scale, bias, epsilon=1e-5):
    return standardized(x, epsilon)[0] * scale + bias


# %% exercise="layer_norm" says="loses its digits" loses=["layer_norm-edges"]
def standardized(x, epsilon):
    mean = ops.mean(x, axis=-1, keepdims=True)
    deviation = ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True) - mean * mean + epsilon)
    return (x - mean) / deviation, deviation


def layer_norm(x, scale, bias, epsilon=1e-5):
    return standardized(x, epsilon)[0] * scale + bias


# %% exercise="layer_norm" says="before the scale" loses=["layer_norm-rows", "layer_norm-edges"]
def standardized(x, epsilon):
    centered = x - ops.mean(x, axis=-1, keepdims=True)
    deviation = ops.sqrt(ops.mean(centered * centered, axis=-1, keepdims=True) + epsilon)
    return centered / deviation, deviation


def layer_norm(x, scale, bias, epsilon=1e-5):
    return (standardized(x, epsilon)[0] + bias) * scale


# %% exercise="layer_norm_pullback" says="The mean of g is missing" loses=["layer_norm_pullback-x"]
def layer_norm_pullback(g, normal, deviation, scale):
    h = g * scale
    along = normal * ops.mean(h * normal, axis=-1, keepdims=True)
    return (h - along) / deviation, unbroadcast(g * normal, scale.shape), unbroadcast(g, scale.shape)


# %% exercise="layer_norm_pullback" says="part of g along the normalised row" loses=["layer_norm_pullback-x"]
def layer_norm_pullback(g, normal, deviation, scale):
    h = g * scale
    g_x = (h - ops.mean(h, axis=-1, keepdims=True)) / deviation
    return g_x, unbroadcast(g * normal, scale.shape), unbroadcast(g, scale.shape)


# %% exercise="layer_norm_pullback" says="passed `scale`" loses=["layer_norm_pullback-x"]
def layer_norm_pullback(g, normal, deviation, scale):
    along = normal * ops.mean(g * normal, axis=-1, keepdims=True)
    g_x = (g - ops.mean(g, axis=-1, keepdims=True) - along) / deviation
    return g_x, unbroadcast(g * normal, scale.shape), unbroadcast(g, scale.shape)


# %% exercise="layer_norm_pullback" says="divided by the deviation" loses=["layer_norm_pullback-x"]
def layer_norm_pullback(g, normal, deviation, scale):
    h = g * scale
    along = normal * ops.mean(h * normal, axis=-1, keepdims=True)
    g_x = h - ops.mean(h, axis=-1, keepdims=True) - along
    return g_x, unbroadcast(g * normal, scale.shape), unbroadcast(g, scale.shape)


# %% exercise="layer_norm_pullback" says="a sum over the row" loses=["layer_norm_pullback-x"]
def layer_norm_pullback(g, normal, deviation, scale):
    h = g * scale
    along = normal * ops.sum(h * normal, axis=-1, keepdims=True)
    g_x = (h - ops.mean(h, axis=-1, keepdims=True) - along) / deviation
    return g_x, unbroadcast(g * normal, scale.shape), unbroadcast(g, scale.shape)


# %% exercise="layer_norm_pullback" says="used by every row" loses=["layer_norm_pullback-parameters"]
def layer_norm_pullback(g, normal, deviation, scale):
    h = g * scale
    along = normal * ops.mean(h * normal, axis=-1, keepdims=True)
    g_x = (h - ops.mean(h, axis=-1, keepdims=True) - along) / deviation
    return g_x, g * normal, g


# %% exercise="layer_norm_pullback" says="`scale` and `bias` are exchanged" loses=["layer_norm_pullback-parameters"]
def layer_norm_pullback(g, normal, deviation, scale):
    h = g * scale
    along = normal * ops.mean(h * normal, axis=-1, keepdims=True)
    g_x = (h - ops.mean(h, axis=-1, keepdims=True) - along) / deviation
    return g_x, unbroadcast(g, scale.shape), unbroadcast(g * normal, scale.shape)


# %% exercise="dropout" says="kept with probability `rate`" loses=["dropout-training"]
def dropout(x, key, rate):
    if key is None:
        return x
    return ops.where(jax.random.bernoulli(key, rate, x.shape), x / (1 - rate), 0.0)


# %% exercise="dropout" says="must grow" loses=["dropout-training"]
def dropout(x, key, rate):
    if key is None:
        return x
    return ops.where(jax.random.bernoulli(key, 1 - rate, x.shape), x, 0.0)


# %% exercise="dropout" says="divide" loses=["dropout-training"]
def dropout(x, key, rate):
    if key is None:
        return x
    return ops.where(jax.random.bernoulli(key, 1 - rate, x.shape), x * (1 - rate), 0.0)


# %% exercise="dropout" says="by the share that is dropped" loses=["dropout-training"]
def dropout(x, key, rate):
    if key is None:
        return x
    return ops.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / rate, 0.0)


# %% exercise="dropout" says="evaluation" loses=["dropout-evaluation"]
def dropout(x, key, rate):
    if key is None:
        return x * (1 - rate)
    return ops.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0.0)


# %% exercise="filter_normalized" says="for each input" loses=["filter_normalized-columns"]
def filter_normalized(direction, weight):
    if weight.ndim < 2:
        return jnp.zeros_like(direction)
    return direction * (
        jnp.linalg.norm(weight, axis=1, keepdims=True) / jnp.linalg.norm(direction, axis=1, keepdims=True)
    )


# %% exercise="filter_normalized" says="the whole matrix" loses=["filter_normalized-columns"]
def filter_normalized(direction, weight):
    if weight.ndim < 2:
        return jnp.zeros_like(direction)
    return direction * jnp.linalg.norm(weight) / jnp.linalg.norm(direction)


# %% exercise="filter_normalized" says="upside down" loses=["filter_normalized-columns"]
def filter_normalized(direction, weight):
    if weight.ndim < 2:
        return jnp.zeros_like(direction)
    return direction * jnp.linalg.norm(direction, axis=0) / jnp.linalg.norm(weight, axis=0)


# %% exercise="filter_normalized" says="have length 1" loses=["filter_normalized-columns"]
def filter_normalized(direction, weight):
    if weight.ndim < 2:
        return jnp.zeros_like(direction)
    return direction / jnp.linalg.norm(direction, axis=0)


# %% exercise="filter_normalized" says="not divided" loses=["filter_normalized-columns"]
def filter_normalized(direction, weight):
    if weight.ndim < 2:
        return jnp.zeros_like(direction)
    return direction * jnp.linalg.norm(weight, axis=0)


# %% exercise="filter_normalized" says="Biases stay where they are" loses=["filter_normalized-biases"]
def filter_normalized(direction, weight):
    if weight.ndim < 2:
        return direction
    return direction * jnp.linalg.norm(weight, axis=0) / jnp.linalg.norm(direction, axis=0)
