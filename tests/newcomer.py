"""Reviews that are not IMDB, and what a newcomer runs on them."""

from __future__ import annotations

import random
from pathlib import Path

WORDS = {
    "재미": ["정말 재미있는 영화", "배우들의 연기가 훌륭하다", "또 보고 싶다"],
    "지루": ["너무 지루했다", "시간이 아깝다", "이야기가 엉망이다"],
    "보통": ["그저 그랬다", "나쁘지도 좋지도 않다", "한 번은 볼 만하다"],
}
CHOICES = ("--dataset", "reviews.csv", "--epochs", "6", "--learning-rate", "0.01")
RUN = ("run", "lstm", "gru", "--seeds", "2", *CHOICES, "--max-len", "8", "--num-words", "60")
STUDY = "textbook-reviews-custom"


def write_reviews(path: Path, n_rows: int = 240) -> None:
    """Korean reviews of three classes, with an emoji here and there."""
    draw = random.Random(0)
    lines = ["리뷰,감성"]
    for n in range(n_rows):
        label = list(WORDS)[n % 3]
        text = " ".join(draw.sample(WORDS[label], 2)) + draw.choice(["", " 😀", " 😡"])
        lines.append(f'"{text} {n}",{label}')
    path.write_text("\n".join(lines) + "\n", "utf-8")
