# %% exercise="absmax" says="the largest number, sign and all" loses=["absmax-codes"]
def absmax(x, bits):
    largest = jnp.max(x)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(x / scale).astype(jnp.int8), scale


# %% exercise="absmax" says="which int8 does not have" loses=["absmax-codes", "best_scale-rows"]
def absmax(x, bits):
    largest = jnp.max(jnp.abs(x))
    scale = jnp.where(largest > 0, largest / 2 ** (bits - 1), 1.0)
    return jnp.round(x / scale).astype(jnp.int8), scale


# %% exercise="absmax" says="cut off" loses=["absmax-codes"]
def absmax(x, bits):
    largest = jnp.max(jnp.abs(x))
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return (x / scale).astype(jnp.int8), scale


# %% exercise="absmax" says="Of nothing but zeros" loses=["absmax-zeros"]
def absmax(x, bits):
    scale = jnp.max(jnp.abs(x)) / (2 ** (bits - 1) - 1)
    return jnp.round(x / scale).astype(jnp.int8), scale


# %% exercise="absmax" says="the scale upside down" loses=["absmax-codes", "best_scale-rows"]
def absmax(x, bits):
    largest = jnp.max(jnp.abs(x))
    steps = jnp.where(largest > 0, (2 ** (bits - 1) - 1) / largest, 1.0)
    return jnp.round(x * steps).astype(jnp.int8), steps


# %% exercise="absmax" says="all 2^bits - 1 steps" loses=["absmax-codes", "best_scale-rows"]
def absmax(x, bits):
    largest = jnp.max(jnp.abs(x))
    scale = jnp.where(largest > 0, 2 * largest / (2**bits - 1), 1.0)
    return jnp.clip(jnp.round(x / scale), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype(jnp.int8), scale


# %% exercise="absmax" says="what the codes stand for" loses=["absmax-codes", "absmax-zeros"]
def absmax(x, bits):
    largest = jnp.max(jnp.abs(x))
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(x / scale) * scale, scale


# %% exercise="affine" says="0 is not between the ends" loses=["affine-positive"]
def affine(x, bits):
    low, high, last = jnp.min(x), jnp.max(x), 2**bits - 1
    scale = jnp.where(high > low, (high - low) / last, 1.0)
    zero = jnp.round(-low / scale)
    codes = jnp.clip(jnp.round(x / scale) + zero, 0, last)
    return codes.astype(jnp.uint8), scale, zero.astype(jnp.uint8)


def from_affine(codes, scale, zero):
    return scale * (codes.astype(jnp.float32) - zero)


# %% exercise="affine" says="one step less than there are codes" loses=["affine-codes", "affine-positive", "affine-edges"]
def affine(x, bits):
    low, high, last = jnp.minimum(jnp.min(x), 0), jnp.maximum(jnp.max(x), 0), 2**bits - 1
    scale = jnp.where(high > low, (high - low) / 2**bits, 1.0)
    zero = jnp.round(-low / scale)
    codes = jnp.clip(jnp.round(x / scale) + zero, 0, last)
    return codes.astype(jnp.uint8), scale, zero.astype(jnp.uint8)


def from_affine(codes, scale, zero):
    return scale * (codes.astype(jnp.float32) - zero)


# %% exercise="affine" says="wrapped around" loses=["affine-back"]
def affine(x, bits):
    low, high, last = jnp.minimum(jnp.min(x), 0), jnp.maximum(jnp.max(x), 0), 2**bits - 1
    scale = jnp.where(high > low, (high - low) / last, 1.0)
    zero = jnp.round(-low / scale)
    codes = jnp.clip(jnp.round(x / scale) + zero, 0, last)
    return codes.astype(jnp.uint8), scale, zero.astype(jnp.uint8)


def from_affine(codes, scale, zero):
    return scale * (codes - zero)


# %% exercise="affine" says="measured from the lowest one" loses=["affine-codes"]
def affine(x, bits):
    low, high, last = jnp.minimum(jnp.min(x), 0), jnp.maximum(jnp.max(x), 0), 2**bits - 1
    scale = jnp.where(high > low, (high - low) / last, 1.0)
    zero = jnp.round(-low / scale)
    codes = jnp.clip(jnp.round((x - low) / scale), 0, last)
    return codes.astype(jnp.uint8), scale, zero.astype(jnp.uint8)


def from_affine(codes, scale, zero):
    return scale * (codes.astype(jnp.float32) - zero)


# %% exercise="affine" says="one past the last" loses=["affine-edges"]
def affine(x, bits):
    low, high, last = jnp.minimum(jnp.min(x), 0), jnp.maximum(jnp.max(x), 0), 2**bits - 1
    scale = jnp.where(high > low, (high - low) / last, 1.0)
    zero = jnp.round(-low / scale)
    codes = jnp.round(x / scale) + zero
    return codes.astype(jnp.uint8), scale, zero.astype(jnp.uint8)


def from_affine(codes, scale, zero):
    return scale * (codes.astype(jnp.float32) - zero)


# %% exercise="affine" says="The zero point was added" loses=["affine-back"]
def affine(x, bits):
    low, high, last = jnp.minimum(jnp.min(x), 0), jnp.maximum(jnp.max(x), 0), 2**bits - 1
    scale = jnp.where(high > low, (high - low) / last, 1.0)
    zero = jnp.round(-low / scale)
    codes = jnp.clip(jnp.round(x / scale) + zero, 0, last)
    return codes.astype(jnp.uint8), scale, zero.astype(jnp.uint8)


def from_affine(codes, scale, zero):
    return scale * (codes.astype(jnp.float32) + zero)


# %% exercise="affine" says="Of nothing but zeros" loses=["affine-edges"]
def affine(x, bits):
    low, high, last = jnp.minimum(jnp.min(x), 0), jnp.maximum(jnp.max(x), 0), 2**bits - 1
    scale = (high - low) / last
    zero = jnp.round(-low / scale)
    codes = jnp.clip(jnp.round(x / scale) + zero, 0, last)
    return codes.astype(jnp.uint8), scale, zero.astype(jnp.uint8)


def from_affine(codes, scale, zero):
    return scale * (codes.astype(jnp.float32) - zero)


# %% exercise="per_channel" says="a scale for each column" loses=["per_channel-rows", "per_channel-zeros"]
def per_channel(w, bits):
    largest = jnp.max(jnp.abs(w), axis=0, keepdims=True)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(w / scale).astype(jnp.int8), scale


# %% exercise="per_channel" says="the same scale for all rows" loses=["per_channel-rows", "per_channel-zeros"]
def per_channel(w, bits):
    codes, scale = absmax(w, bits)
    return codes, jnp.full((len(w), 1), scale)


# %% exercise="per_channel" says="an axis of size 1 is missing" loses=["per_channel-rows", "per_channel-zeros"]
def per_channel(w, bits):
    largest = jnp.max(jnp.abs(w), axis=1)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(w / scale[:, None]).astype(jnp.int8), scale


# %% exercise="per_channel" says="Of a row of nothing but zeros" loses=["per_channel-zeros"]
def per_channel(w, bits):
    scale = jnp.max(jnp.abs(w), axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
    return jnp.round(w / scale).astype(jnp.int8), scale


# %% exercise="per_channel" says="the largest number of a row, sign and all" loses=["per_channel-rows", "per_channel-zeros"]
def per_channel(w, bits):
    largest = jnp.max(w, axis=1, keepdims=True)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(w / scale).astype(jnp.int8), scale


# %% exercise="int8_product" says="wrapped around in 8 bits" loses=["int8_product-sums"]
def int8_product(a, a_scale, b, b_scale):
    return (a @ b.T) * a_scale * b_scale.T


# %% exercise="int8_product" says="The scales of `a` are missing" loses=["int8_product-sums"]
def int8_product(a, a_scale, b, b_scale):
    return (a.astype(jnp.int32) @ b.T.astype(jnp.int32)) * b_scale.T


# %% exercise="int8_product" says="multiplied down the rows" loses=["int8_product-sums"]
def int8_product(a, a_scale, b, b_scale):
    return (a.astype(jnp.int32) @ b.T.astype(jnp.int32)) * a_scale * b_scale


# %% exercise="int8_product" says="not multiplied with any scale" loses=["int8_product-sums"]
def int8_product(a, a_scale, b, b_scale):
    return (a.astype(jnp.int32) @ b.T.astype(jnp.int32)).astype(jnp.float32)


# %% exercise="int8_product" says="The two scales were added" loses=["int8_product-sums"]
def int8_product(a, a_scale, b, b_scale):
    return (a.astype(jnp.int32) @ b.T.astype(jnp.int32)) * (a_scale + b_scale.T)


# %% exercise="int8_product" says="held back at 127" loses=["int8_product-sums"]
def int8_product(a, a_scale, b, b_scale):
    return jnp.clip(a.astype(jnp.int32) @ b.T.astype(jnp.int32), -128, 127) * a_scale * b_scale.T


# %% exercise="group_wise" says="lie apart" loses=["group_wise-codes"]
def group_wise(w, bits, group):
    rows, inputs = w.shape
    parts = w.reshape(rows, group, -1)
    largest = jnp.max(jnp.abs(parts), axis=1, keepdims=True)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(parts / scale).astype(jnp.int8).reshape(w.shape), scale[:, 0]


def from_groups(codes, scale):
    return codes * jnp.repeat(scale, codes.shape[1] // scale.shape[1], axis=1)


# %% exercise="group_wise" says="The number of groups was taken for their size" loses=["group_wise-codes"]
def group_wise(w, bits, group):
    parts = w.reshape(len(w), group, -1)
    largest = jnp.max(jnp.abs(parts), axis=2, keepdims=True)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(parts / scale).astype(jnp.int8).reshape(w.shape), scale.squeeze(2)


def from_groups(codes, scale):
    return codes * jnp.repeat(scale, codes.shape[1] // scale.shape[1], axis=1)


# %% exercise="group_wise" says="One scale for the whole row" loses=["group_wise-codes"]
def group_wise(w, bits, group):
    codes, scale = per_channel(w, bits)
    return codes, jnp.repeat(scale, w.shape[1] // group, axis=1)


def from_groups(codes, scale):
    return codes * jnp.repeat(scale, codes.shape[1] // scale.shape[1], axis=1)


# %% exercise="group_wise" says="The scales take turns" loses=["group_wise-back"]
def group_wise(w, bits, group):
    parts = w.reshape(len(w), -1, group)
    largest = jnp.max(jnp.abs(parts), axis=2, keepdims=True)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(parts / scale).astype(jnp.int8).reshape(w.shape), scale.squeeze(2)


def from_groups(codes, scale):
    return codes * jnp.tile(scale, codes.shape[1] // scale.shape[1])


# %% exercise="group_wise" says="Of a group of nothing but zeros" loses=["group_wise-codes"]
def group_wise(w, bits, group):
    parts = w.reshape(len(w), -1, group)
    scale = jnp.max(jnp.abs(parts), axis=2, keepdims=True) / (2 ** (bits - 1) - 1)
    return jnp.round(parts / scale).astype(jnp.int8).reshape(w.shape), scale.squeeze(2)


def from_groups(codes, scale):
    return codes * jnp.repeat(scale, codes.shape[1] // scale.shape[1], axis=1)


# %% exercise="group_wise" says="an axis of size 1 is kept" loses=["group_wise-codes"]
def group_wise(w, bits, group):
    parts = w.reshape(len(w), -1, group)
    largest = jnp.max(jnp.abs(parts), axis=2, keepdims=True)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(parts / scale).astype(jnp.int8).reshape(w.shape), scale


def from_groups(codes, scale):
    return codes * jnp.repeat(scale, codes.shape[1] // scale.shape[1], axis=1)


# %% exercise="pack" says="overwrote the high half" loses=["pack-bytes"]
def pack(codes):
    low, high = jnp.split(codes, 2, axis=-1)
    return (low | high << 4).astype(jnp.uint8)


def unpack(packed):
    codes = jnp.concatenate([packed & 15, packed >> 4], axis=-1).astype(jnp.int8)
    return jnp.where(codes > 7, codes - 16, codes)


# %% exercise="pack" says="The sign is lost" loses=["pack-unpacked"]
def pack(codes):
    low, high = jnp.split(codes, 2, axis=-1)
    return (low & 15 | high << 4).astype(jnp.uint8)


def unpack(packed):
    return jnp.concatenate([packed & 15, packed >> 4], axis=-1).astype(jnp.int8)


# %% exercise="pack" says="The halves are exchanged" loses=["pack-bytes", "pack-unpacked"]
def pack(codes):
    low, high = jnp.split(codes, 2, axis=-1)
    return (high & 15 | low << 4).astype(jnp.uint8)


def unpack(packed):
    codes = jnp.concatenate([packed >> 4, packed & 15], axis=-1).astype(jnp.int8)
    return jnp.where(codes > 7, codes - 16, codes)


# %% exercise="pack" says="Neighbours were put into one byte" loses=["pack-bytes", "pack-unpacked"]
def pack(codes):
    return (codes[..., 0::2] & 15 | codes[..., 1::2] << 4).astype(jnp.uint8)


def unpack(packed):
    halves = jnp.stack([packed & 15, packed >> 4], axis=-1)
    codes = halves.reshape(*packed.shape[:-1], -1).astype(jnp.int8)
    return jnp.where(codes > 7, codes - 16, codes)


# %% exercise="pack" says="take turns" loses=["pack-unpacked"]
def pack(codes):
    low, high = jnp.split(codes, 2, axis=-1)
    return (low & 15 | high << 4).astype(jnp.uint8)


def unpack(packed):
    halves = jnp.stack([packed & 15, packed >> 4], axis=-1)
    codes = halves.reshape(*packed.shape[:-1], -1).astype(jnp.int8)
    return jnp.where(codes > 7, codes - 16, codes)


# %% exercise="pack" says="8 was added" loses=["pack-bytes", "pack-unpacked"]
def pack(codes):
    low, high = jnp.split((codes + 8).astype(jnp.uint8), 2, axis=-1)
    return low | high << 4


def unpack(packed):
    return jnp.concatenate([packed & 15, packed >> 4], axis=-1).astype(jnp.int8) - 8


# %% exercise="error_bounds" says="cancel in the worst case" loses=["error_bounds-worst"]
def error_bounds(x, scale):
    parts = x.reshape(len(x), scale.shape[1], -1)
    worst = jnp.einsum("ngi,rg->nr", parts, scale) / 2
    typical = jnp.sqrt(jnp.einsum("ngi,rg->nr", parts**2, scale**2) / 12)
    return worst, typical


# %% exercise="error_bounds" says="A whole step" loses=["error_bounds-worst"]
def error_bounds(x, scale):
    parts = x.reshape(len(x), scale.shape[1], -1)
    worst = jnp.einsum("ngi,rg->nr", jnp.abs(parts), scale)
    typical = jnp.sqrt(jnp.einsum("ngi,rg->nr", parts**2, scale**2) / 12)
    return worst, typical


# %% exercise="error_bounds" says="each group its own scale" loses=["error_bounds-worst", "error_bounds-typical"]
def error_bounds(x, scale):
    largest = jnp.max(scale, axis=1)
    worst = jnp.sum(jnp.abs(x), axis=1)[:, None] * largest / 2
    typical = jnp.sqrt(jnp.sum(x**2, axis=1)[:, None] / 12) * largest
    return worst, typical


# %% exercise="error_bounds" says="Deviations were added" loses=["error_bounds-typical"]
def error_bounds(x, scale):
    parts = jnp.abs(x).reshape(len(x), scale.shape[1], -1)
    worst = jnp.einsum("ngi,rg->nr", parts, scale) / 2
    return worst, jnp.einsum("ngi,rg->nr", parts, scale) / 12**0.5


# %% exercise="error_bounds" says="This is the variance" loses=["error_bounds-typical"]
def error_bounds(x, scale):
    parts = jnp.abs(x).reshape(len(x), scale.shape[1], -1)
    worst = jnp.einsum("ngi,rg->nr", parts, scale) / 2
    return worst, jnp.einsum("ngi,rg->nr", parts**2, scale**2) / 12


# %% exercise="error_bounds" says="the largest error was taken for the usual one" loses=["error_bounds-typical"]
def error_bounds(x, scale):
    parts = jnp.abs(x).reshape(len(x), scale.shape[1], -1)
    worst = jnp.einsum("ngi,rg->nr", parts, scale) / 2
    return worst, jnp.sqrt(jnp.einsum("ngi,rg->nr", parts**2, scale**2) / 4)


# %% exercise="best_scale" says="nothing was cut off" loses=["best_scale-rows"]
def best_scale(x, bits, shrinks):
    return absmax(x, bits)[1]


# %% exercise="best_scale" says="clipped" loses=["best_scale-rows"]
def best_scale(x, bits, shrinks):
    scales = absmax(x, bits)[1] * shrinks
    errors = [jnp.sum((scale * jnp.round(x / scale) - x) ** 2) for scale in scales]
    return scales[jnp.argmin(jnp.array(errors))]
