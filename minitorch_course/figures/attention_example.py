r"""The weights of one head of a trained model, stored because training takes too long for a notebook.

The command that trained the model, stopped after 1,798 steps:

    minitorch train --data stdlib-docstrings --tokenizer bpe:2048 --model llama --layers 4 --heads 4 --width 128 \
        --context 64 --batch 24 --steps 3000 --lr 3e-3

The head is the last one of the third layer. The sentence is not in the training text.
"""

TOKENS = [
    "Return",
    " the",
    " name",
    " of",
    " the",
    " file",
    ",",
    " or",
    " None",
    " if",
    " the",
    " file",
    " is",
    " closed",
    ".",
]

PERCENT = """
    100
    34 66
    74 21 5
    5 8 83 4
    0 1 97 0 1
    23 6 1 36 17 17
    0 0 15 0 0 84 0
    0 0 35 0 0 62 1 1
    1 0 0 0 1 1 9 84 3
    0 0 9 0 0 68 0 2 11 10
    0 0 2 0 0 97 0 0 0 0 0
    2 0 1 12 2 1 2 27 4 17 10 20
    0 0 0 0 0 3 0 0 1 0 0 96 0
    0 0 1 0 0 3 0 1 1 0 1 43 43 5
    1 4 3 0 9 49 1 0 1 1 1 29 0 1 0
"""  # A row for each token that looks; its columns end at the token itself.

WEIGHTS = [
    [int(number) / 100 for number in row.split()] + [0.0] * (len(TOKENS) - 1 - i)
    for i, row in enumerate(PERCENT.strip().splitlines())
]
