"""A race on the terminal, and in the words that a study keeps of it."""

from rnnbench.page.screen import Screen
from rnnbench.page.texts import duration, number
from rnnbench.racing.record import NETWORKS, Entrant, Race
from rnnbench.study import OTHER_CELLS


def tell_limit(dataset: str, seconds: float, view: Screen) -> None:
    """What is about to be done."""
    view.say(
        f"race      settings for {dataset}, tried with {' and '.join(NETWORKS)} on the "
        f"validation part, for about {duration(seconds)} at most"
    )


def show_entrant(entrant: Entrant, view: Screen) -> None:
    """A setting whose networks have stopped, or were cut."""
    cut = "" if entrant.is_over else " (cut)"
    view.say(f"          {entrant.setting.written()}: val_loss {_tell_losses(entrant)}{cut}")


def show_race(race: Race, view: Screen, *, is_kept: bool) -> None:
    """What came of it."""
    if not is_kept:
        for entrant in race.entrants:
            if not entrant.is_over:
                show_entrant(entrant, view)
    how = "kept from before" if is_kept else f"in {duration(race.seconds)}"
    view.say(f"race      {tell_winner(race)} ({how})")
    if not race.is_decided:
        view.warn(
            "the race ended before any setting had an epoch, so that it is not kept; a longer one "
            "(--race 10m) can choose"
        )


def tell_winner(race: Race) -> str:
    """`units 32, embedding_size 64, learning_rate 0.01: best of 6 in a race by validation loss`.

    What was held is left out, and networks are named where their rates differ.
    """
    sizes = zip(("units", "embedding_size"), race.size, strict=True)
    chosen = [f"{name} {value}" for name, value in sizes if name not in race.held]
    if "learning_rate" not in race.held:
        named = [f"{race.rates[name]:g} for {name}" for name in NETWORKS]
        common = f"{race.rates[OTHER_CELLS]:g}"
        differ = len({*race.rates.values()}) > 1
        chosen.append(f"learning_rate {' and '.join(named) if differ else common}")
    if not race.is_decided:
        return f"{', '.join(chosen)}: the first of {len(race.entrants)}, of which a race chose none"
    cut = ", cut by its time" if race.was_cut else ""
    return f"{', '.join(chosen)}: best of {len(race.entrants)} in a race by validation loss{cut}"


def _tell_losses(entrant: Entrant) -> str:
    """`lstm 0.8201, gru 0.8436`, each the lowest validation loss."""
    return ", ".join(
        f"{name} {number(entrant.losses[name], 4)}" if name in entrant.losses else f"{name} none"
        for name in NETWORKS
    )
