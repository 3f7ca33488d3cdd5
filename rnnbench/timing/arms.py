"""One configuration of the timing study."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeAlias, get_args

from rnnbench.architectures import check_size, make_form
from rnnbench.errors import ArmError, StudyError, UsageError, unknown_name
from rnnbench.limits import MOST
from rnnbench.specs import BACKENDS, Argument, Backend, CanonicalForm

DeviceKind: TypeAlias = Literal["cpu", "gpu"]
UseCudnn: TypeAlias = Literal["auto", "off", "on"]

TIMED = ("lstm", "gru", "lstm-stacked", "simple-rnn")
"""The architectures that can be timed, without any dropout unless an arm has some."""

_WITH_CUDNN = ("lstm", "gru")

Rung: TypeAlias = Literal[
    "plain", "cudnn-off", "implementation-1", "recurrent-dropout", "as-written"
]
RUNGS: dict[Rung, tuple[UseCudnn, int | None, bool]] = {
    "plain": ("auto", None, False),
    "cudnn-off": ("off", None, False),
    "implementation-1": ("off", 1, False),
    "recurrent-dropout": ("off", 1, True),
    "as-written": ("auto", None, True),
}
"""Of the arms that take the cost of recurrent dropout apart: `use_cudnn`, `implementation`, and
whether there is recurrent dropout. The first four are each one change from the one before:

`plain`: Keras chooses; `cudnn-off`: cuDNN, and what Keras has in its place, forbidden;
`implementation-1`: also the matrix products that recurrent dropout forces, a gate at a time;
`recurrent-dropout`: also the masks. `as-written` is recurrent dropout as people write it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What one measurement is of.

    Args:
        dropout, recurrent_dropout: of every recurrent layer.
        use_cudnn: what the layers are told; on `auto` Keras takes cuDNN where it can.
        implementation: Keras's argument of that name; None leaves it at Keras's own, 2.
        jit: what `Model.compile` is told; Keras may have to do otherwise.
        is_control: whether it is its like a second time, so that their ratio should be 1.

    Raises:
        UsageError: a value that cannot be.
        ArmError: values that cannot go together, with the reason.
    """

    architecture: str
    backend: Backend
    device: DeviceKind
    units: int = 8
    batch_size: int = 64
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    use_cudnn: UseCudnn = "auto"
    implementation: int | None = None
    jit: bool = True
    is_control: bool = False

    def __post_init__(self) -> None:
        for name, choices in (
            ("architecture", TIMED),
            ("backend", BACKENDS),
            ("device", get_args(DeviceKind)),
            ("use_cudnn", get_args(UseCudnn)),
        ):
            if getattr(self, name) not in choices:
                raise UsageError(unknown_name(name, str(getattr(self, name)), choices))
        for name in ("units", "batch_size"):
            value, most = getattr(self, name), MOST[name]
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise UsageError(f"{name} must be a whole number from 1 to {most:,}, got {value!r}")
        for name in ("jit", "is_control"):
            if not isinstance(getattr(self, name), bool):
                raise UsageError(f"{name} is on or off, got {getattr(self, name)!r}")
        self._refuse_impossible(self.form.cell)
        if self.implementation == 2:  # Keras's own: the same arm as one that leaves it out
            object.__setattr__(self, "implementation", None)

    def _refuse_impossible(self, cell: str) -> None:
        if self.implementation not in (None, 1, 2):
            raise UsageError(f"implementation is 1 or 2, got {self.implementation!r}")
        if self.implementation and cell not in _WITH_CUDNN:
            raise ArmError(f"{self.architecture} has no implementation to choose")
        if self.implementation == 2 and self.recurrent_dropout:
            raise ArmError("implementation 2 cannot go with recurrent_dropout: Keras then takes 1")
        if self.use_cudnn == "auto":
            return
        if cell not in _WITH_CUDNN:
            raise ArmError(f"cuDNN has no kernel that Keras uses for {self.architecture}")
        if self.use_cudnn == "off":
            return
        if self.recurrent_dropout:
            raise ArmError(
                "use_cudnn=True cannot go with recurrent_dropout: "
                "cuDNN's kernel has no masks for the state"
            )
        if self.device == "cpu":
            raise ArmError("use_cudnn=True needs a GPU; on the cpu there is no cuDNN")
        if self.backend == "jax" and cell == "gru":
            raise ArmError("use_cudnn=True: Keras has no cuDNN path for a GRU on JAX")
        if self.backend == "torch" and self.jit:
            raise ArmError("use_cudnn=True: Keras leaves cuDNN out inside torch.compile")

    @property
    def form(self) -> CanonicalForm:
        """The recurrent part."""
        try:
            form = make_form(
                self.architecture,
                units=self.units,
                dropout=self.dropout,
                recurrent_dropout=self.recurrent_dropout,
            )
            check_size(form)
        except StudyError as err:
            raise UsageError(str(err)) from err
        assert isinstance(form, CanonicalForm)
        return form

    @property
    def group(self) -> tuple[object, ...]:
        """Equal for arms that one process measures together."""
        return self.architecture, self.backend, self.device, self.units, self.batch_size

    @property
    def has_layer_options(self) -> bool:
        """Whether the cell has `use_cudnn` and `implementation` to choose."""
        return self.form.cell in _WITH_CUDNN

    @property
    def rung(self) -> Rung | None:
        """Where the arm stands on the ladder; None beside it, as a control does."""
        if self.is_control:
            return None
        options = self.use_cudnn, self.implementation, bool(self.recurrent_dropout)
        rung = next((name for name, values in RUNGS.items() if values == options), None)
        is_end_of_control = rung == "as-written" and not self.has_layer_options
        return "recurrent-dropout" if is_end_of_control else rung

    @property
    def has_forward(self) -> bool:
        """Whether evaluation and prediction are timed too: at the ladder's ends, and beside it."""
        return not self.is_control and self.rung not in ("cudnn-off", "implementation-1")

    def on(self, rung: Rung, recurrent_dropout: float) -> Arm:
        """The arm on another rung, no control; a cell without the options keeps what it has."""
        use_cudnn, implementation, has_dropout = RUNGS[rung]
        rate = recurrent_dropout if has_dropout else 0.0
        if not self.has_layer_options:
            return replace(self, recurrent_dropout=rate, is_control=False)
        return replace(
            self,
            use_cudnn=use_cudnn,
            implementation=implementation,
            recurrent_dropout=rate,
            is_control=False,
        )

    @property
    def has_cudnn_kernel(self) -> bool:
        """Whether Keras on this back end, compiled or not, has a cuDNN kernel for the cell."""
        cell = self.form.cell
        if self.backend == "torch" and self.jit:
            return False
        return cell in _WITH_CUDNN and not (self.backend == "jax" and cell == "gru")

    @property
    def has_own_loop(self) -> bool:
        """Whether Keras has a loop of its own for the cell that takes cuDNN's place.

        It projects the inputs of all time steps at once, whatever `implementation` says, and goes
        with cuDNN when `use_cudnn` is off or the state has dropout.
        """
        cell = self.form.cell
        return (self.backend == "jax" and cell == "gru") or (
            self.backend == "torch" and cell in _WITH_CUDNN
        )

    @property
    def has_default_jit(self) -> bool:
        """Whether the arm is compiled as its back end is by default."""
        return self.jit == default_jit(self.backend)

    @property
    def name(self) -> str:
        """`lstm(8) jax cpu`, and what differs from Keras's defaults."""
        words = [f"{self.architecture}({self.units})", self.backend, self.device]
        words += [f"batch_size={self.batch_size}"] if self.batch_size != 64 else []
        words += [f"dropout={self.dropout:g}"] if self.dropout else []
        words += ["cuDNN off"] if self.use_cudnn == "off" else []
        words += ["cuDNN on"] if self.use_cudnn == "on" else []
        words += [f"implementation={self.implementation}"] if self.implementation else []
        words += [f"recurrent_dropout={self.recurrent_dropout:g}"] if self.recurrent_dropout else []
        words += [] if self.has_default_jit else ["jit" if self.jit else "no jit"]
        words += ["again"] if self.is_control else []
        return " ".join(words)

    def to_json(self) -> dict[str, Argument | None]:
        """Plain values, from which `Arm(**values)` builds an equal arm."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> Arm:  # Any: JSON values
        """The arm that `to_json` described.

        Raises:
            UsageError: values that are none.
        """
        names = {item.name for item in fields(cls)}
        if not isinstance(values, dict) or {"is_control", *values} != names:
            raise UsageError(f"an arm has the fields {', '.join(sorted(names))}")
        numbers = (values["dropout"], values["recurrent_dropout"])
        if not all(isinstance(number, int | float) for number in numbers):
            raise UsageError(f"dropout and recurrent_dropout are numbers, got {numbers}")
        return cls(**values)


def default_jit(backend: Backend) -> bool:
    """XLA for JAX and TensorFlow; PyTorch as Keras leaves it, because `torch.compile` unrolls."""
    return backend != "torch"


def ladder(plain: Arm, recurrent_dropout: float = 0.3) -> list[Arm]:
    """The arms of the first four rungs, in order; a SimpleRNN has two of them.

    On TensorFlow with a GPU there is a fifth: recurrent dropout as people write it. There a layer
    that was made for cuDNN loses XLA too, and `use_cudnn=False` gives it back.
    """
    if not plain.has_layer_options:
        return [plain, plain.on("recurrent-dropout", recurrent_dropout)]
    loses_jit = plain.backend == "tensorflow" and plain.device == "gpu"
    return [
        plain.on(rung, recurrent_dropout) for rung in RUNGS if rung != "as-written" or loses_jit
    ]
