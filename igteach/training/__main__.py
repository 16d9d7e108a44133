"""The command `python -m igteach.training NAME`, which trains a shipped network.

It writes the weights, their SHA-256 and a card to `data/`. Training may use every room; no room uses it.
"""

import argparse
from collections.abc import Callable

import torch

from igteach.training import autoencoder, digits, frames, lookup, patients, prompt_curves, scenes, text

PROGRAMS: dict[str, Callable[[], None]] = {
    "digits": digits.train_digits,
    "saturation": digits.train_saturation,
    "autoencoder": autoencoder.train_autoencoder,
    "prompt_curves": prompt_curves.measure_prompt_curves,
    "patients": patients.train_patients,
    "scenes": scenes.train_scenes,
    "scenes_vit": scenes.train_vit,
    "shortcut": scenes.train_shortcut,
    "frames": frames.train_frames,
    "lookup": lookup.train_lookup,
    "question_types": text.train_question_types,
    "sentiment_en": text.train_sentiment_en,
    "sentiment_zh": text.train_sentiment_zh,
}


def main() -> None:
    """Run the program that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m igteach.training", description="Train a shipped network.")
    parser.add_argument("name", choices=PROGRAMS)
    name = parser.parse_args().name
    torch.set_num_threads(1)  # sums are taken in one order, so the same machine writes the same bytes
    PROGRAMS[name]()


if __name__ == "__main__":
    main()
