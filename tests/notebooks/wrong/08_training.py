# %% exercise="get_batch" says="The targets are the inputs" loses=["get_batch-windows", "get_batch-key"]
def cut_windows(tokens, starts, context):
    cut = tokens[starts[:, None] + jnp.arange(context + 1)]
    return cut[:, :-1], cut[:, :-1]


def get_batch(tokens, seed, step, batch, context):
    key = jax.random.fold_in(jax.random.key(seed), step)
    starts = jax.random.randint(key, (batch,), 0, len(tokens) - context)
    return cut_windows(tokens, starts, context)


# %% exercise="get_batch" says="The targets are two places further on" loses=["get_batch-windows", "get_batch-key"]
def cut_windows(tokens, starts, context):
    cut = tokens[starts[:, None] + jnp.arange(context + 2)]
    return cut[:, :-2], cut[:, 2:]


def get_batch(tokens, seed, step, batch, context):
    key = jax.random.fold_in(jax.random.key(seed), step)
    starts = jax.random.randint(key, (batch,), 0, len(tokens) - context)
    return cut_windows(tokens, starts, context)


# %% exercise="get_batch" says="The targets are the tokens before the inputs" loses=["get_batch-windows", "get_batch-key"]
def cut_windows(tokens, starts, context):
    cut = tokens[starts[:, None] + jnp.arange(-1, context)]
    return cut[:, 1:], cut[:, :-1]


def get_batch(tokens, seed, step, batch, context):
    key = jax.random.fold_in(jax.random.key(seed), step)
    starts = jax.random.randint(key, (batch,), 0, len(tokens) - context)
    return cut_windows(tokens, starts, context)


# %% exercise="get_batch" says="Use fold_in" loses=["get_batch-key"]
def cut_windows(tokens, starts, context):
    cut = tokens[starts[:, None] + jnp.arange(context + 1)]
    return cut[:, :-1], cut[:, 1:]


def get_batch(tokens, seed, step, batch, context):
    key = jax.random.key(seed + step)
    starts = jax.random.randint(key, (batch,), 0, len(tokens) - context)
    return cut_windows(tokens, starts, context)


# %% exercise="get_batch" says="Every step draws the same batch" loses=["get_batch-key"]
def cut_windows(tokens, starts, context):
    cut = tokens[starts[:, None] + jnp.arange(context + 1)]
    return cut[:, :-1], cut[:, 1:]


def get_batch(tokens, seed, step, batch, context):
    key = jax.random.key(seed)
    starts = jax.random.randint(key, (batch,), 0, len(tokens) - context)
    return cut_windows(tokens, starts, context)


# %% exercise="get_batch" says="The seed has no effect" loses=["get_batch-key"]
def cut_windows(tokens, starts, context):
    cut = tokens[starts[:, None] + jnp.arange(context + 1)]
    return cut[:, :-1], cut[:, 1:]


def get_batch(tokens, seed, step, batch, context):
    key = jax.random.key(step)
    starts = jax.random.randint(key, (batch,), 0, len(tokens) - context)
    return cut_windows(tokens, starts, context)


# %% exercise="get_batch" says="The last window is never drawn" loses=["get_batch-key", "get_batch-ends"]
def cut_windows(tokens, starts, context):
    cut = tokens[starts[:, None] + jnp.arange(context + 1)]
    return cut[:, :-1], cut[:, 1:]


def get_batch(tokens, seed, step, batch, context):
    key = jax.random.fold_in(jax.random.key(seed), step)
    starts = jax.random.randint(key, (batch,), 0, len(tokens) - context - 1)
    return cut_windows(tokens, starts, context)


# %% exercise="get_batch" says="Windows reach past the end of the text" loses=["get_batch-key", "get_batch-ends"]
def cut_windows(tokens, starts, context):
    cut = tokens[starts[:, None] + jnp.arange(context + 1)]
    return cut[:, :-1], cut[:, 1:]


def get_batch(tokens, seed, step, batch, context):
    key = jax.random.fold_in(jax.random.key(seed), step)
    starts = jax.random.randint(key, (batch,), 0, len(tokens) - context + 1)
    return cut_windows(tokens, starts, context)


# %% exercise="get_batch" says="Windows reach far past the end of the text" loses=["get_batch-key", "get_batch-ends"]
def cut_windows(tokens, starts, context):
    cut = tokens[starts[:, None] + jnp.arange(context + 1)]
    return cut[:, :-1], cut[:, 1:]


def get_batch(tokens, seed, step, batch, context):
    key = jax.random.fold_in(jax.random.key(seed), step)
    starts = jax.random.randint(key, (batch,), 0, len(tokens))
    return cut_windows(tokens, starts, context)


# %% exercise="perplexity" says="This is the mean of the perplexities of the tokens" loses=["perplexity-mean"]
def perplexity(losses):
    return jnp.mean(jnp.exp(losses))


def bits_per_byte(losses, text):
    return jnp.sum(losses) / math.log(2) / len(text.encode())


# %% exercise="perplexity" says="not 2 to the loss" loses=["perplexity-mean"]
def perplexity(losses):
    return 2.0 ** jnp.mean(losses)


def bits_per_byte(losses, text):
    return jnp.sum(losses) / math.log(2) / len(text.encode())


# %% exercise="perplexity" says="The losses were added up" loses=["perplexity-mean"]
def perplexity(losses):
    return jnp.exp(jnp.sum(losses))


def bits_per_byte(losses, text):
    return jnp.sum(losses) / math.log(2) / len(text.encode())


# %% exercise="perplexity" says="These are bits per letter" loses=["perplexity-bytes"]
def perplexity(losses):
    return jnp.exp(jnp.mean(losses))


def bits_per_byte(losses, text):
    return jnp.sum(losses) / math.log(2) / len(text)


# %% exercise="perplexity" says="These are nats per byte" loses=["perplexity-bytes"]
def perplexity(losses):
    return jnp.exp(jnp.mean(losses))


def bits_per_byte(losses, text):
    return jnp.sum(losses) / len(text.encode())


# %% exercise="perplexity" says="These are bits per token" loses=["perplexity-bytes"]
def perplexity(losses):
    return jnp.exp(jnp.mean(losses))


def bits_per_byte(losses, text):
    return jnp.mean(losses) / math.log(2)


# %% exercise="perplexity" says="Multiplied by ln 2" loses=["perplexity-bytes"]
def perplexity(losses):
    return jnp.exp(jnp.mean(losses))


def bits_per_byte(losses, text):
    return jnp.sum(losses) * math.log(2) / len(text.encode())


# %% exercise="evaluate" says="The rest is dropped" loses=["evaluate-mean", "evaluate-shapes"]
def evaluate(token_losses, tokens, batch, context):
    targets, size = len(tokens) - 1, batch * context
    padding = -targets % size
    padded = np.pad(tokens, (0, padding))
    total = 0.0
    for start in range(0, targets - size + 1, size):
        rows = padded[start : start + size + 1]
        losses = token_losses(rows[:-1].reshape(batch, context), rows[1:].reshape(batch, context))
        total += float(losses.reshape(-1)[: targets - start].sum())
    return total / max(targets - targets % size, 1)


# %% exercise="evaluate" says="The padding counts: the step" loses=["evaluate-mean", "evaluate-shapes"]
def evaluate(token_losses, tokens, batch, context):
    targets, size = len(tokens) - 1, batch * context
    padding = -targets % size
    padded = np.pad(tokens, (0, padding))
    total = 0.0
    for start in range(0, targets, size):
        rows = padded[start : start + size + 1]
        losses = token_losses(rows[:-1].reshape(batch, context), rows[1:].reshape(batch, context))
        total += float(losses.reshape(-1).sum())
    return total / targets


# %% exercise="evaluate" says="The padding counts as a target" loses=["evaluate-mean", "evaluate-shapes"]
def evaluate(token_losses, tokens, batch, context):
    targets, size = len(tokens) - 1, batch * context
    padding = -targets % size
    padded = np.pad(tokens, (0, padding))
    total = 0.0
    for start in range(0, targets, size):
        rows = padded[start : start + size + 1]
        losses = token_losses(rows[:-1].reshape(batch, context), rows[1:].reshape(batch, context))
        total += float(losses.reshape(-1)[: targets - start].sum())
    return total / (len(padded) - 1)


# %% exercise="evaluate" says="This is the mean of the calls' means" loses=["evaluate-mean", "evaluate-shapes"]
def evaluate(token_losses, tokens, batch, context):
    targets, size = len(tokens) - 1, batch * context
    padding = -targets % size
    padded = np.pad(tokens, (0, padding))
    total = 0.0
    for start in range(0, targets, size):
        rows = padded[start : start + size + 1]
        losses = token_losses(rows[:-1].reshape(batch, context), rows[1:].reshape(batch, context))
        total += float(losses.reshape(-1)[: targets - start].mean())
    return total / len(range(0, targets, size))


# %% exercise="evaluate" says="The sum was divided by the number of tokens" loses=["evaluate-mean", "evaluate-shapes"]
def evaluate(token_losses, tokens, batch, context):
    targets, size = len(tokens) - 1, batch * context
    padding = -targets % size
    padded = np.pad(tokens, (0, padding))
    total = 0.0
    for start in range(0, targets, size):
        rows = padded[start : start + size + 1]
        losses = token_losses(rows[:-1].reshape(batch, context), rows[1:].reshape(batch, context))
        total += float(losses.reshape(-1)[: targets - start].sum())
    return total / len(tokens)


# %% exercise="evaluate" says="The last call has another shape" loses=["evaluate-shapes"]
def evaluate(token_losses, tokens, batch, context):
    targets, size = len(tokens) - 1, batch * context
    padding = -targets % size
    padded = np.pad(tokens, (0, padding))
    total = 0.0
    for start in range(0, targets, size):
        rows = padded[start : start + size + 1]
        if start + size > targets:
            rows = np.asarray(tokens)[start:]
            losses = token_losses(rows[None, :-1], rows[None, 1:])
        else:
            losses = token_losses(rows[:-1].reshape(batch, context), rows[1:].reshape(batch, context))
        total += float(losses.reshape(-1)[: targets - start].sum())
    return total / targets


# %% exercise="make_step" says="Every step saw the first batch" loses=["make_step-steps"]
def make_step(loss, optimizer, draw_batch):

    @jax.jit
    def step(state, tokens):
        batch = draw_batch(tokens, state.step)
        value, gradient = mt.value_and_grad(loss)(state.params, *batch)
        updates, memory = optimizer.update(gradient, state.optimizer, state.params)
        params = mt.optim.apply_updates(state.params, updates)
        return State(state.step, params, memory), value

    return step


# %% exercise="make_step" says="The first step saw the second batch" loses=["make_step-steps"]
def make_step(loss, optimizer, draw_batch):

    @jax.jit
    def step(state, tokens):
        batch = draw_batch(tokens, state.step + 1)
        value, gradient = mt.value_and_grad(loss)(state.params, *batch)
        updates, memory = optimizer.update(gradient, state.optimizer, state.params)
        params = mt.optim.apply_updates(state.params, updates)
        return State(state.step + 1, params, memory), value

    return step


# %% exercise="make_step" says="The optimizer forgets" loses=["make_step-steps"]
def make_step(loss, optimizer, draw_batch):

    @jax.jit
    def step(state, tokens):
        batch = draw_batch(tokens, state.step)
        value, gradient = mt.value_and_grad(loss)(state.params, *batch)
        updates, memory = optimizer.update(gradient, state.optimizer, state.params)
        params = mt.optim.apply_updates(state.params, updates)
        return State(state.step + 1, params, state.optimizer), value

    return step


# %% exercise="make_step" says="The losses are those after the update" loses=["make_step-steps"]
def make_step(loss, optimizer, draw_batch):

    @jax.jit
    def step(state, tokens):
        batch = draw_batch(tokens, state.step)
        value, gradient = mt.value_and_grad(loss)(state.params, *batch)
        updates, memory = optimizer.update(gradient, state.optimizer, state.params)
        params = mt.optim.apply_updates(state.params, updates)
        return State(state.step + 1, params, memory), loss(params, *batch)

    return step


# %% exercise="make_step" says="pass the parameters to the optimizer's update" loses=["make_step-steps"]
def make_step(loss, optimizer, draw_batch):

    @jax.jit
    def step(state, tokens):
        batch = draw_batch(tokens, state.step)
        value, gradient = mt.value_and_grad(loss)(state.params, *batch)
        updates, memory = optimizer.update(gradient, state.optimizer)
        params = mt.optim.apply_updates(state.params, updates)
        return State(state.step + 1, params, memory), value

    return step


# %% exercise="make_step" says="A resumed run begins with the first batch again" loses=["make_step-steps"]
def make_step(loss, optimizer, draw_batch):

    made = 0

    @jax.jit
    def step(state, tokens):
        nonlocal made
        batch = draw_batch(tokens, made)
        made += 1
        value, gradient = mt.value_and_grad(loss)(state.params, *batch)
        updates, memory = optimizer.update(gradient, state.optimizer, state.params)
        params = mt.optim.apply_updates(state.params, updates)
        return State(state.step + 1, params, memory), value

    return step


# %% exercise="make_step" says="put the step under jax.jit" loses=["make_step-compiled"]
def make_step(loss, optimizer, draw_batch):

    def step(state, tokens):
        batch = draw_batch(tokens, state.step)
        value, gradient = mt.value_and_grad(loss)(state.params, *batch)
        updates, memory = optimizer.update(gradient, state.optimizer, state.params)
        params = mt.optim.apply_updates(state.params, updates)
        return State(state.step + 1, params, memory), value

    return step


# %% exercise="write_whole" says="A kill can leave an empty or half-written file" loses=["write_whole-kills"]
def write_whole(path, data):
    path.write_bytes(data)


# %% exercise="write_whole" says="A kill can leave an empty or half-written file" loses=["write_whole-kills"]
def write_whole(path, data):
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        file.write(data)
        os.replace(partial, path)


# %% exercise="write_whole" says="do not remove the old one" loses=["write_whole-kills"]
def write_whole(path, data):
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(data)
    path.unlink(missing_ok=True)
    os.rename(partial, path)


# %% exercise="write_whole" says="The new content never arrives" loses=["write_whole-kills", "save_checkpoint-saved"]
def write_whole(path, data):
    path.with_name(f"{path.name}.partial").write_bytes(data)


# %% exercise="write_whole" says="give the temporary file a name that does not change" loses=["write_whole-tidy"]
def write_whole(path, data):
    import uuid

    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    partial.write_bytes(data)
    os.replace(partial, path)


# %% exercise="save_checkpoint" says="Only the parameters were saved" loses=["save_checkpoint-saved"]
def save_checkpoint(path, state):
    buffer = io.BytesIO()
    np.savez(buffer, *jax.tree.leaves(state.params))
    write_whole(path, buffer.getvalue())


def restore(path, like):
    if not path.exists():
        return None
    with np.load(path) as archive:
        leaves = [archive[name] for name in archive.files]
    shapes = [leaf.shape for leaf in leaves], [leaf.shape for leaf in jax.tree.leaves(like)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{path.name} holds arrays of shapes {shapes[0]}, and this run needs {shapes[1]}.")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


# %% exercise="save_checkpoint" says="but not the optimizer's state" loses=["save_checkpoint-saved"]
def save_checkpoint(path, state):
    buffer = io.BytesIO()
    np.savez(buffer, *jax.tree.leaves((state.step, state.params)))
    write_whole(path, buffer.getvalue())


def restore(path, like):
    if not path.exists():
        return None
    with np.load(path) as archive:
        leaves = [archive[name] for name in archive.files]
    shapes = [leaf.shape for leaf in leaves], [leaf.shape for leaf in jax.tree.leaves(like)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{path.name} holds arrays of shapes {shapes[0]}, and this run needs {shapes[1]}.")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


# %% exercise="save_checkpoint" says="sorted by name, arr_10 comes before arr_2" loses=["save_checkpoint-restored"]
def save_checkpoint(path, state):
    buffer = io.BytesIO()
    np.savez(buffer, *jax.tree.leaves(state))
    write_whole(path, buffer.getvalue())


def restore(path, like):
    if not path.exists():
        return None
    with np.load(path) as archive:
        leaves = [archive[name] for name in sorted(archive.files)]
    shapes = [leaf.shape for leaf in leaves], [leaf.shape for leaf in jax.tree.leaves(like)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{path.name} holds arrays of shapes {shapes[0]}, and this run needs {shapes[1]}.")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


# %% exercise="save_checkpoint" says="This is the list of arrays" loses=["save_checkpoint-restored", "save_checkpoint-refused"]
def save_checkpoint(path, state):
    buffer = io.BytesIO()
    np.savez(buffer, *jax.tree.leaves(state))
    write_whole(path, buffer.getvalue())


def restore(path, like):
    if not path.exists():
        return None
    with np.load(path) as archive:
        leaves = [archive[name] for name in archive.files]
    shapes = [leaf.shape for leaf in leaves], [leaf.shape for leaf in jax.tree.leaves(like)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{path.name} holds arrays of shapes {shapes[0]}, and this run needs {shapes[1]}.")
    return leaves


# %% exercise="save_checkpoint" says="This is the state `like` itself" loses=["save_checkpoint-restored"]
def save_checkpoint(path, state):
    buffer = io.BytesIO()
    np.savez(buffer, *jax.tree.leaves(state))
    write_whole(path, buffer.getvalue())


def restore(path, like):
    if not path.exists():
        return None
    with np.load(path) as archive:
        leaves = [archive[name] for name in archive.files]
    shapes = [leaf.shape for leaf in leaves], [leaf.shape for leaf in jax.tree.leaves(like)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{path.name} holds arrays of shapes {shapes[0]}, and this run needs {shapes[1]}.")
    return like


# %% exercise="save_checkpoint" says="A file with an array of another shape was taken" loses=["save_checkpoint-refused"]
def save_checkpoint(path, state):
    buffer = io.BytesIO()
    np.savez(buffer, *jax.tree.leaves(state))
    write_whole(path, buffer.getvalue())


def restore(path, like):
    if not path.exists():
        return None
    with np.load(path) as archive:
        leaves = [archive[name] for name in archive.files]
    shapes = [leaf.shape for leaf in leaves], [leaf.shape for leaf in jax.tree.leaves(like)]
    if len(leaves) != len(jax.tree.leaves(like)):
        raise ValueError(f"{path.name} holds arrays of shapes {shapes[0]}, and this run needs {shapes[1]}.")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


# %% exercise="read_rows" says="The second row replaced the first" loses=["read_rows-written"]
def log_row(path, row):
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{json.dumps(row)}\n")


def read_rows(path):
    if not path.exists():
        return []
    *lines, _ = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines]


# %% exercise="read_rows" says="The line ends are missing" loses=["read_rows-written"]
def log_row(path, row):
    with path.open("a", encoding="utf-8") as file:
        json.dump(row, file)


def read_rows(path):
    if not path.exists():
        return []
    *lines, _ = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines]


# %% exercise="read_rows" says="JSON has double quotes" loses=["read_rows-written"]
def log_row(path, row):
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{row}\n")


def read_rows(path):
    if not path.exists():
        return []
    *lines, _ = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines]


# %% exercise="read_rows" says="makes the whole file unreadable" loses=["read_rows-read"]
def log_row(path, row):
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(row)}\n")


def read_rows(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# %% exercise="read_rows" says="The last line has no line end" loses=["read_rows-read"]
def log_row(path, row):
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(row)}\n")


def read_rows(path):
    if not path.exists():
        return []
    rows, lines = [], path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError:
            if number < len(lines):
                raise
    return rows


# %% exercise="read_rows" says="A broken line in the middle was skipped in silence" loses=["read_rows-read"]
def log_row(path, row):
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(row)}\n")


def read_rows(path):
    if not path.exists():
        return []
    *lines, _ = path.read_text(encoding="utf-8").split("\n")
    rows = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


# %% exercise="read_rows" says="left out though its line end is there" loses=["read_rows-read"]
def log_row(path, row):
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(row)}\n")


def read_rows(path):
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()[:-1]
    return [json.loads(line) for line in lines]


# %% exercise="train_run" says="The resumed run begins again at the first step" loses=["train_run-killed"]
def train_run(run, step, first, tokens, steps, every, evaluation):
    state = first
    run.drop_rows(after=int(state.step))
    for made in range(int(state.step) + 1, steps + 1):
        state, loss = step(state, tokens)
        due = made % every == 0 or made == steps
        run.log({"step": made, "loss": float(loss)} | ({"val_loss": evaluation(state.params)} if due else {}))
        if due:
            run.save(state)
    return state


# %% exercise="train_run" says="Rows are never dropped" loses=["train_run-rows", "train_run-killed"]
def train_run(run, step, first, tokens, steps, every, evaluation):
    state = run.restore(first) or first
    for made in range(int(state.step) + 1, steps + 1):
        state, loss = step(state, tokens)
        due = made % every == 0 or made == steps
        run.log({"step": made, "loss": float(loss)} | ({"val_loss": evaluation(state.params)} if due else {}))
        if due:
            run.save(state)
    return state


# %% exercise="train_run" says="The state is saved before the row is logged" loses=["train_run-rows", "train_run-killed"]
def train_run(run, step, first, tokens, steps, every, evaluation):
    state = run.restore(first) or first
    run.drop_rows(after=int(state.step))
    for made in range(int(state.step) + 1, steps + 1):
        state, loss = step(state, tokens)
        due = made % every == 0 or made == steps
        if due:
            run.save(state)
        run.log({"step": made, "loss": float(loss)} | ({"val_loss": evaluation(state.params)} if due else {}))
    return state


# %% exercise="train_run" says="The last step is not saved" loses=["train_run-rows"]
def train_run(run, step, first, tokens, steps, every, evaluation):
    state = run.restore(first) or first
    run.drop_rows(after=int(state.step))
    for made in range(int(state.step) + 1, steps + 1):
        state, loss = step(state, tokens)
        due = made % every == 0
        run.log({"step": made, "loss": float(loss)} | ({"val_loss": evaluation(state.params)} if due else {}))
        if due:
            run.save(state)
    return state


# %% exercise="train_run" says="The resumed run makes `steps` more steps" loses=["train_run-killed"]
def train_run(run, step, first, tokens, steps, every, evaluation):
    state = run.restore(first) or first
    run.drop_rows(after=int(state.step))
    for made in range(int(state.step) + 1, int(state.step) + steps + 1):
        state, loss = step(state, tokens)
        due = made % every == 0 or made % steps == 0
        run.log({"step": made, "loss": float(loss)} | ({"val_loss": evaluation(state.params)} if due else {}))
        if due:
            run.save(state)
    return state


# %% exercise="train_run" says="The rows count from 0" loses=["train_run-rows", "train_run-killed"]
def train_run(run, step, first, tokens, steps, every, evaluation):
    state = run.restore(first) or first
    run.drop_rows(after=int(state.step))
    for made in range(int(state.step) + 1, steps + 1):
        state, loss = step(state, tokens)
        due = made % every == 0 or made == steps
        run.log({"step": made - 1, "loss": float(loss)} | ({"val_loss": evaluation(state.params)} if due else {}))
        if due:
            run.save(state)
    return state


# %% exercise="train_run" says="It was evaluated before the step" loses=["train_run-rows"]
def train_run(run, step, first, tokens, steps, every, evaluation):
    state = run.restore(first) or first
    run.drop_rows(after=int(state.step))
    for made in range(int(state.step) + 1, steps + 1):
        before = state.params
        state, loss = step(state, tokens)
        due = made % every == 0 or made == steps
        run.log({"step": made, "loss": float(loss)} | ({"val_loss": evaluation(before)} if due else {}))
        if due:
            run.save(state)
    return state


# %% exercise="fit_power_law" says="alpha has the wrong sign" loses=["fit_power_law-fit"]
def fit_power_law(sizes, losses):
    slope, intercept = np.polyfit(np.log(sizes), np.log(losses), 1)
    return math.exp(intercept), slope


# %% exercise="fit_power_law" says="The intercept is ln a" loses=["fit_power_law-fit"]
def fit_power_law(sizes, losses):
    slope, intercept = np.polyfit(np.log(sizes), np.log(losses), 1)
    return intercept, -slope


# %% exercise="fit_power_law" says="The logarithms are to base 10" loses=["fit_power_law-fit"]
def fit_power_law(sizes, losses):
    slope, intercept = np.polyfit(np.log10(sizes), np.log10(losses), 1)
    return math.exp(intercept), -slope


# %% exercise="fit_power_law" says="The two results changed places" loses=["fit_power_law-fit"]
def fit_power_law(sizes, losses):
    slope, intercept = np.polyfit(np.log(sizes), np.log(losses), 1)
    return -slope, math.exp(intercept)


# %% exercise="fit_power_law" says="The line goes through the first point and the last" loses=["fit_power_law-fit"]
def fit_power_law(sizes, losses):
    slope = math.log(losses[-1] / losses[0]) / math.log(sizes[-1] / sizes[0])
    intercept = math.log(losses[0]) - slope * math.log(sizes[0])
    return math.exp(intercept), -slope
