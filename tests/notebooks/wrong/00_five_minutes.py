# %% exercise="readings" says="These are the largest scores themselves" loses=["readings-rows"]
def readings(scores):
    return scores.max(axis=-1)


# %% exercise="readings" says="one place in the whole table" loses=["readings-rows"]
def readings(scores):
    return scores.argmax()


# %% exercise="readings" says="a reading for each column" loses=["readings-rows"]
def readings(scores):
    return scores.argmax(axis=0)


# %% exercise="readings" says="the smallest scores" loses=["readings-rows"]
def readings(scores):
    return scores.argmin(axis=-1)


# %% exercise="readings" says="counted from 0" loses=["readings-rows"]
def readings(scores):
    return scores.argmax(axis=-1) + 1


# %% exercise="readings" says="Right for the first row only" loses=["readings-rows"]
def readings(scores):
    return scores[0].argmax()


# %% exercise="accuracy" says="That is how many are right" loses=["accuracy-share"]
def accuracy(read, labels):
    return (read == labels).sum()


# %% exercise="accuracy" says="the share of the wrong ones" loses=["accuracy-share"]
def accuracy(read, labels):
    return (read != labels).mean()


# %% exercise="accuracy" says="in percent" loses=["accuracy-share"]
def accuracy(read, labels):
    return 100 * (read == labels).mean()


# %% exercise="accuracy" says="Wanted is one number: their mean" loses=["accuracy-share"]
def accuracy(read, labels):
    return read == labels


# %% exercise="accuracy" says="A digit is right or wrong" loses=["accuracy-share"]
def accuracy(read, labels):
    return jnp.abs(read - labels).mean()
