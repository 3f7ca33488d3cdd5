"""The part of the page on how the settings were chosen."""

from collections.abc import Sequence

from rnnbench.page.blocks import Paragraph, Part, make_part
from rnnbench.page.csv_files import write_lines
from rnnbench.page.tables import Column, Table
from rnnbench.page.texts import count, duration, number
from rnnbench.racing.record import NETWORKS, Entrant, Race


def race_part(races: Sequence[Race]) -> Part:
    """A table of each race, and what it may be taken for."""
    reading = Paragraph(
        "What nobody set was chosen among a few values on the validation part, which none of the"
        " test scores above is measured on. Numbers are the lowest validation loss in nats a text,"
        f" of one run each with seed {races[0].seed}, which the study does not use. All networks"
        " have the size at which the two come lowest on average, and each cell the learning rate"
        " that came lowest there; cells of other kinds, and all where time cut the race at that"
        " size, the rate with the lowest mean. Another race might choose otherwise, which no"
        " interval on this page counts. `rnnbench tune` searches longer, for each network."
    )
    return make_part("race", "How the settings were chosen", (reading, *map(_tabulate, races)))


def race_tables(races: Sequence[Race]) -> dict[str, str]:
    """The CSV text of the table, by the stem of its file."""
    lines = (
        (
            race.data.max_len,
            race.data.num_words,
            race.recipe.batch_size,
            each.setting.units,
            each.setting.embedding_size,
            each.setting.learning_rate,
            *(each.losses.get(name) for name in NETWORKS),
            _chosen_for(race, each),
        )
        for race in races
        for each in race.entrants
    )
    names = ("max_len", "num_words", "batch_size", "units", "embedding_size", "learning_rate")
    return {"race": write_lines((*names, *NETWORKS, "chosen_for"), lines)}


def _chosen_for(race: Race, entrant: Entrant) -> str:
    names = [name or "other cells" for name, each in race.winners.items() if each is entrant]
    return "all" if len(names) == len(race.winners) else ", ".join(names)


def _tabulate(race: Race) -> Table[Entrant]:
    def loss_of(network: str) -> Column[Entrant]:
        return Column(network, lambda each: number(each.losses.get(network), 4))

    columns: list[Column[Entrant]] = [
        Column("learning rate", lambda each: f"{each.setting.learning_rate:g}"),
        Column("units", lambda each: count(each.setting.units)),
        Column("embedding size", lambda each: count(each.setting.embedding_size)),
        *map(loss_of, NETWORKS),
        Column("mean", lambda each: number(each.loss, 4)),
        Column("chosen for", lambda each: _chosen_for(race, each), is_number=False),
    ]
    cut = ", when its time was over" if race.was_cut else ""
    caption = (
        f"A race of {duration(race.seconds)}{cut}: max_len {race.data.max_len}, num_words"
        f" {race.data.num_words}, batch_size {race.recipe.batch_size}"
    )
    return Table(caption, "race", columns, [("", race.entrants)])
