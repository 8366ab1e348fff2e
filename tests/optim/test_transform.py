from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import optim


def test_chain_applies_left_to_right_and_an_empty_chain_does_nothing():
    one = jnp.ones(2)
    both = optim.chain(optim.clip(0.5), optim.scale(3.0))
    np.testing.assert_array_equal(both.update(one, both.init(one))[0], [1.5, 1.5])
    nothing = optim.chain()
    assert nothing.update(one, nothing.init(one))[0] is one


def test_chain_refuses_the_state_of_another_chain(params):
    state = optim.adam(0.1).init(params)
    with pytest.raises(ValueError, match="state has 2 parts, but 3 transforms are chained"):
        optim.adamw(0.1).update(params, state, params)


def test_apply_updates_keeps_each_dtype_and_rounds_once():
    params = {"half": jnp.array([1.0], jnp.bfloat16), "full": jnp.array([1.0])}
    step = jnp.array([0.0079])  # rounds to 1/128, the spacing of bfloat16 above 1
    new = optim.apply_updates(params, {"half": step, "full": step})
    assert (new["half"].dtype, new["full"].dtype) == (jnp.bfloat16, jnp.float32)
    assert float(new["half"][0]) == 1 + 1 / 128


def test_schedule_counts_its_own_steps():
    transform = optim.scale_by_learning_rate(lambda count: count + 1.0)
    state = transform.init(jnp.ones(()))
    seen = []
    for _ in range(3):
        update, state = transform.update(jnp.ones(()), state)
        seen.append(float(update))
    assert seen == [-1.0, -2.0, -3.0]


def test_a_decay_mask_may_select_part_of_one_vector():
    transform = optim.add_decayed_weights(0.1, mask=jnp.array([1.0, 0.0]))
    update, _ = transform.update(jnp.zeros(2), (), jnp.array([5.0, 5.0]))
    np.testing.assert_allclose(update, [0.5, 0.0])


def test_a_leaf_without_decay_is_not_read():
    transform = optim.add_decayed_weights(0.1, mask={"a": np.False_, "b": True})
    params = {"a": jnp.array(jnp.inf), "b": jnp.array(2.0)}
    update, _ = transform.update(jax.tree.map(jnp.zeros_like, params), (), params)
    assert (float(update["a"]), float(update["b"])) == (0.0, pytest.approx(0.2))


@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (3, 1)])
def test_an_update_of_another_shape_than_its_parameter_is_refused(shape):
    params = {"layers": [{"w": jnp.ones(3)}]}
    with pytest.raises(ValueError, match=r"params\['layers'\]\[0\]\['w'\] has shape .*, but its parameter has \(3,\)"):
        optim.apply_updates(params, {"layers": [{"w": jnp.ones(shape)}]})
