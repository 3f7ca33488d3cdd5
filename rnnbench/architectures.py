"""The catalogue of architectures, without Keras: presets, canonical forms, parameter counts.

Another package adds an architecture through an entry point in the group
`rnnbench.architectures` whose object is a `Plugin`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib.metadata import entry_points

from rnnbench.errors import StudyError, unknown_name
from rnnbench.output.characters import first_line
from rnnbench.plugin_code import code_digest
from rnnbench.specs import Argument, CanonicalForm, Form, PluginForm

ENTRY_POINT_GROUP = "rnnbench.architectures"
MOST_PARAMETERS = 100_000_000  # 0.4 GB, and as much again for each state of an optimizer

PRESETS: Mapping[str, CanonicalForm] = {
    "lstm": CanonicalForm(cell="lstm"),
    "lstm-dropout": CanonicalForm(cell="lstm", dropout=0.3),
    "lstm-stacked": CanonicalForm(cell="lstm", depth=2, dropout=0.3),
    "gru": CanonicalForm(cell="gru", reset_after=True),
    "simple-rnn": CanonicalForm(cell="simple-rnn"),
    "lstm-recurrent-dropout": CanonicalForm(cell="lstm", recurrent_dropout=0.3),
    "gru-recurrent-dropout": CanonicalForm(cell="gru", recurrent_dropout=0.3, reset_after=True),
    "gru-classic": CanonicalForm(cell="gru", reset_after=False),
}

ALL: tuple[str, ...] = ("lstm", "lstm-dropout", "lstm-stacked", "gru")
"""What `--all` means: the architectures of the study notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An architecture from another package.

    Args:
        name: what users write; must not be a preset's.
        build: `"package.module:function"`. A worker calls it with `arguments` as keywords, and
            with those of `FILLED` that it takes; it returns the Keras layers between the embedding
            and the output in order, or a tensor made from `tokens`, or a whole `keras.Model`.
        arguments: the hyperparameters that it takes, with their defaults.
    """

    name: str
    build: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)


@cache
def find_plugins() -> Mapping[str, Plugin]:
    """Every plug-in that is installed and can be used, by name."""
    return _load_plugins()[0]


def plugin_problems() -> list[str]:
    """A sentence for each installed plug-in that cannot be used."""
    return _load_plugins()[1]


def find_plugin(name: str, missing: str = "") -> Plugin:
    """The installed plug-in of that name.

    Args:
        missing: what to say where there is none; by default which architectures there are.

    Raises:
        StudyError: there is none that can be used.
    """
    plugins = find_plugins()
    if name not in plugins:
        known = unknown_name("architecture", name, architecture_names())
        hint = (
            "a function in a file is taken by run, plan and tune only"
            if ".py" in name
            else "or a function in a file of your own: net.py:build"
        )
        said = missing or f"{known}; {hint}"
        raise StudyError("; ".join((said, *plugin_problems())))
    return plugins[name]


def installed_code(name: str) -> str | None:
    """The digest of a plug-in's code as it is now; None where it is not installed."""
    plugins = find_plugins()
    return code_digest(plugins[name].build) if name in plugins else None


def architecture_names() -> tuple[str, ...]:
    """Presets in the order of the design, then plug-ins."""
    return (*PRESETS, *sorted(find_plugins()))


def make_form(name: str, **hyperparameters: Argument) -> Form:
    """The canonical form of a named architecture with some hyperparameters changed.

    Raises:
        StudyError: an unknown name, a hyperparameter that it does not take, or a bad value.
    """
    if name in PRESETS:
        preset = PRESETS[name]
        _refuse_unknown(name, hyperparameters, {item.name for item in fields(preset)} - {"cell"})
        return replace(preset, **hyperparameters)  # type: ignore[arg-type]  # checked by the form
    plugin = find_plugin(name)
    _refuse_unknown(name, hyperparameters, set(plugin.arguments))
    arguments = {**plugin.arguments, **hyperparameters}
    code = code_digest(plugin.build)
    return PluginForm(name=name, arguments=tuple(arguments.items()), code=code)


def make_form_like(known: Form, name: str, **hyperparameters: Argument) -> Form:
    """`make_form`, also of a network of the user's own, where `known` is one of its forms."""
    if not (isinstance(known, PluginForm) and known.is_of_file and known.name == name):
        return make_form(name, **hyperparameters)
    arguments = {**dict(known.arguments), **dict(known.defaults), **hyperparameters}
    return replace(known, arguments=tuple(arguments.items()))


def hyperparameter_kinds(name: str) -> Mapping[str, type | None]:
    """What a preset or a plug-in takes, and the type of each; None where any will do.

    Raises:
        StudyError: there is no such.
    """
    if name in PRESETS:
        kinds: dict[str, type | None] = {"depth": int, "units": int}
        kinds |= {"dropout": float, "recurrent_dropout": float}
        return kinds | ({"reset_after": bool} if PRESETS[name].cell == "gru" else {})
    return {key: type(value) for key, value in find_plugin(name).arguments.items()}


def display_name(form: Form) -> str:
    """The preset's name where there is one, else `cell(what differs from the plain cell)`.

    A plug-in whose code is not the installed one differs in its `code`.
    """
    if isinstance(form, PluginForm) and form.is_of_file:
        usual = dict(form.defaults)
        changed = [(key, value) for key, value in form.arguments if usual.get(key) != value]
        return _call(form.name, changed)
    for name, preset in PRESETS.items():
        if form == preset:
            return name
    if isinstance(form, PluginForm):
        defaults = find_plugins()[form.name].arguments if form.name in find_plugins() else {}
        changed = [(key, value) for key, value in form.arguments if defaults.get(key) != value]
        if form.code != (installed_code(form.name) or ""):
            changed.append(("code", form.code or "unknown"))
        return _call(form.name, changed)
    plain = CanonicalForm(cell=form.cell, reset_after=True if form.cell == "gru" else None)
    changed = [
        (item.name, getattr(form, item.name))
        for item in fields(form)
        if getattr(form, item.name) != getattr(plain, item.name)
    ]
    return _call(form.cell, changed)


def names_apart(forms: Iterable[Form]) -> Mapping[Form, str]:
    """What each form is called where all of them stand together: no two by one name.

    Where two have one display name, their arguments and their code are told as well.
    """
    names = {form: display_name(form) for form in forms}
    counts = Counter(names.values())
    return {
        form: _call(form.name, [*form.arguments, ("code", form.code or "unknown")])
        if counts[name] > 1 and isinstance(form, PluginForm)
        else name
        for form, name in names.items()
    }


def name_without_units(form: Form) -> str:
    """What the architecture is called whatever its units, which a race may choose."""
    if isinstance(form, CanonicalForm):
        form = replace(form, units=CanonicalForm(cell="lstm").units)
    elif form.is_of_file:
        form = replace(form, arguments=tuple(pair for pair in form.arguments if pair[0] != "units"))
    return display_name(form)


def recurrent_parameters(form: CanonicalForm, *, embedding_size: int = 16) -> tuple[int, ...]:
    """Trainable parameters of each recurrent layer, first to last.

    With u units and d inputs: SimpleRNN u(u + d + 1), LSTM four times that,
    GRU 3u(u + d + 2) with `reset_after` and 3u(u + d + 1) without.
    """
    u = form.units
    gates = {"simple-rnn": 1, "lstm": 4, "gru": 3}[form.cell]
    n_biases = 2 if form.reset_after else 1
    inputs = (embedding_size, *([u] * (form.depth - 1)))
    return tuple(gates * u * (u + d + n_biases) for d in inputs)


def model_parameters(
    form: Form, *, num_words: int = 500, embedding_size: int = 16, n_classes: int = 2
) -> int | None:
    """Parameters of the whole model; None for a plug-in, which only Keras can count."""
    if isinstance(form, PluginForm):
        return None
    layers = recurrent_parameters(form, embedding_size=embedding_size)
    outputs = 1 if n_classes == 2 else n_classes
    return num_words * embedding_size + sum(layers) + (form.units + 1) * outputs


def check_size(
    form: Form, *, num_words: int = 500, embedding_size: int = 16, n_classes: int = 2
) -> None:
    """See that a network can be held in memory, as far as its parameters are known.

    Raises:
        StudyError: it has more than `MOST_PARAMETERS`.
    """
    n_parameters = model_parameters(
        form, num_words=num_words, embedding_size=embedding_size, n_classes=n_classes
    )
    if n_parameters is not None and n_parameters > MOST_PARAMETERS:
        raise StudyError(
            f"{display_name(form)} with embedding_size {embedding_size} and num_words {num_words} "
            f"has {n_parameters:,} parameters, of at most {MOST_PARAMETERS:,}"
        )


def _load_plugins() -> tuple[dict[str, Plugin], list[str]]:
    plugins: dict[str, Plugin] = {}
    problems: list[str] = []
    owners = dict.fromkeys(PRESETS, "rnnbench itself")
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            plugin = entry.load()
        except (Exception, SystemExit) as err:  # whatever another package raises at its import
            problems.append(f"the plug-in {entry.value} cannot be loaded: {first_line(err)}")
            continue
        if not isinstance(plugin, Plugin) or not isinstance(plugin.name, str):
            problems.append(f"the plug-in {entry.value} is not an rnnbench Plugin with a name")
        elif ":" in plugin.name:
            problems.append(
                f"the plug-in {entry.value} cannot be used: its name '{plugin.name[:40]}' has ':' "
                "in it, as names of files' functions have"
            )
        elif plugin.name in owners:  # which of two is found first depends on the machine
            others = f"also the name of one from {owners[plugin.name]}"
            problems.append(
                f"the plug-in {entry.value} cannot be used: '{plugin.name}' is {others}"
            )
            plugins.pop(plugin.name, None)
        else:
            plugins[plugin.name] = plugin
            owners[plugin.name] = entry.value
    return plugins, problems


def _refuse_unknown(name: str, given: Mapping[str, object], known: set[str]) -> None:
    for key in given:
        if key not in known:
            raise StudyError(
                f"{name}: {unknown_name('hyperparameter', key, known)}"
                if known
                else f"{name} takes no hyperparameters, got {key}"
            )


def _call(name: str, changed: list[tuple[str, Argument]]) -> str:
    if not changed:
        return name
    return f"{name}({', '.join(f'{key}={_shown(value)}' for key, value in changed)})"


def _shown(value: Argument) -> str:
    """The value in words; a text that reads as a number or a truth value stands in quotes."""
    if not isinstance(value, str):
        return str(value)
    try:
        float(value)
    except ValueError:
        return repr(value) if value in ("True", "False") else value
    return repr(value)
