"""Draw the figures of lecture 00, on the open-source AI stack: `python lectures/figures/src/00_open_source_ai.py`."""

from __future__ import annotations

from sheet import Sheet

from minitorch._palette import BLUE, GRAY, GREEN, INK, PURPLE, TINTS, VERMILION
from minitorch_course.figures.svg import Block, Drawing, drawing, label

LAYERS = (
    ("applications", "Ollama, LM Studio, Tabby, Stable Diffusion WebUI", "09", PURPLE),
    ("MLOps", "MLflow, Kubeflow, DVC, KServe, Triton", "06, 08, 13", GREEN),
    ("hubs", "Hugging Face: weights, data, tokenizers", "06, 10-12", VERMILION),
    ("frameworks", "PyTorch, JAX, TensorFlow, minitorch", "01-05, 07", BLUE),
    ("clusters", "Docker, Kubernetes, Slurm", "13", GREEN),
    ("hardware", "CUDA, ROCm, oneAPI; CPUs", "01, 05", GRAY),
)
DEGREES = (
    ("closed", "an address to call", "ask"),
    ("open weights", "Llama 2", "run, adapt"),
    ("open licence", "Mistral 7B", "and sell, pass on"),
    ("open data, code", "GPT-NeoX", "and check"),
    ("open process", "BLOOM, OLMo", "and repeat, join"),
)
EVENTS = (
    (2007, "scikit-learn", "Theano"),
    (2013, "Caffe", ""),
    (2015, "TensorFlow", ""),
    (2016, "PyTorch", ""),
    (2018, "JAX, MLflow", "Kubeflow"),
    (2021, "GPT-Neo", "LAION"),
    (2022, "BLOOM", "Stable Diffusion"),
    (2023, "Llama, Mistral", "llama.cpp"),
)
STAGES = ("problem", "data", "training", "evaluation", "packaging", "monitoring")
BOOKS = ("00", "06", "02-08", "08, 10-12", "13", "later")


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a rectangle with the tint of a colour."""
    fill = TINTS.get(colour, "#e8ecf0")
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" fill="{fill}" stroke="{colour}"'
        ' stroke-width="1.4"/>'
    )


def stack() -> Drawing:
    """Draw six layers, with known projects of each and the notebooks that build it."""
    shapes = []
    for i, (name, known, books, colour) in enumerate(LAYERS):
        y = 50 * i
        shapes += [box(0, y, 760, 44, colour), label(80, y + 28, name, INK, 17, 600)]
        shapes += [label(380, y + 28, known, INK, 15), label(690, y + 28, books, colour, 16, 600)]
    return drawing(Block("".join(shapes), 760, 294), "The open-source AI stack, and the notebooks on each layer")


def spectrum() -> Drawing:
    """Draw the degrees from closed to open, with an example of each and what it lets you do."""
    step = 158
    shapes = [f'<path d="M10 60H{step * 5 - 14}m-9 -6l9 6l-9 6" fill="none" stroke="{GRAY}" stroke-width="2"/>']
    for i, (degree, example, may) in enumerate(DEGREES):
        x = step * (i + 0.5)
        colour = (GRAY, VERMILION, PURPLE, BLUE, GREEN)[i]
        shapes += [f'<circle cx="{x:g}" cy="60" r="8" fill="{colour}"/>', label(x, 36, degree, colour, 16, 600)]
        shapes += [label(x, 92, example, INK, 15), label(x, 116, may, GRAY, 14)]
    return drawing(Block("".join(shapes), step * 5, 124), "Openness is a spectrum: each step lets you do more")


def timeline() -> Drawing:
    """Draw what was published when."""
    step = 100
    shapes = [f'<path d="M0 60H{step * len(EVENTS)}" stroke="{GRAY}" stroke-width="2"/>']
    for i, (year, first, second) in enumerate(EVENTS):
        x, colour = step * (i + 0.5), BLUE if year < 2018 else GREEN if year < 2021 else VERMILION
        shapes += [f'<circle cx="{x:g}" cy="60" r="6" fill="{colour}"/>', label(x, 40, str(year), INK, 16, 600)]
        shapes += [label(x, 88 + 20 * k, name, colour, 14) for k, name in enumerate((first, second)) if name]
    for x, colour, era in ((200, BLUE, "frameworks"), (450, GREEN, "operations"), (650, VERMILION, "large models")):
        shapes.append(label(x, 142, era, colour, 15, 600))
    return drawing(Block("".join(shapes), step * len(EVENTS), 148), "From libraries to large models, 2007 to 2023")


def lifecycle() -> Drawing:
    """Draw six stages in a row, and the way back from the last to the first."""
    step = 132
    shapes = []
    for i, (stage, books) in enumerate(zip(STAGES, BOOKS, strict=True)):
        x = step * i
        shapes += [box(x, 0, step - 24, 46, BLUE), label(x + 54, 28, stage, INK, 14, 600)]
        shapes.append(label(x + 54, 68, books, VERMILION, 14, 600))
        if i:
            shapes.append(f'<path d="M{x - 22} 23h18m-7 -5l7 5l-7 5" fill="none" stroke="{GRAY}" stroke-width="2"/>')
    right = step * 5 + 54
    shapes.append(
        f'<path d="M{right} 78v20H54v-18m-5 8l5 -8l5 8" fill="none" stroke="{GRAY}" stroke-width="2"/>'
        + label((right + 54) / 2, 118, "the world has changed: new data, new run", GRAY, 14)
    )
    return drawing(Block("".join(shapes), step * 6 - 24, 124), "The life of a model, and the notebook of each stage")


FIGURES = {"stack": stack(), "spectrum": spectrum(), "timeline": timeline(), "lifecycle": lifecycle()}

if __name__ == "__main__":
    Sheet("00").put(FIGURES)
