"""The encoder-decoder child program: train a small copy of an individual, measure validation perplexity."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyglove as pg

from autoglyph.child_programs.base import ChildFailed, Measurement, Rung
from autoglyph.child_programs.fused_optimizers import Adam
from autoglyph.child_programs.rung_by_rung import measurements
from autoglyph.child_programs.sequence_model import build_sequence_model
from autoglyph.child_programs.sequence_training import SequenceTraining, noam_schedule
from autoglyph.child_programs.sequences.sequence_dataset import SequenceDataset, load_sequences
from autoglyph.child_programs.tensorflow_process import prepare_process
from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer
from autoglyph.search_spaces.architectures.parameter_budget import fit_to_budget


class Begun(NamedTuple):
    """An individual before its first step.

    Attributes:
        network: at the size at which it is trained.
        model: its Keras model.
        training: of the model.
    """

    network: EvolvedTransformer
    model: Any
    training: SequenceTraining


class SequenceToSequence(pg.Object):
    """Trains an encoder-decoder of a chosen size from scratch and measures it on the validation pairs.

    Adam and the schedule are those of Vaswani et al. 2017, which does not depend on how long a training is: what a
    child is worth at an early rung is what a training of that length gives.

    A run is repeatable: seed, settings, data and machine determine its numbers, whatever ran before in the process,
    and no global random generator is read or set.

    Attributes:
        steps: at which a child is measured, counted from the beginning; the last is the full budget.
        batch_tokens: rows x padded length of a batch, of source and of target.
        dimension: channels of the embeddings, a multiple of 32 that keeps relative dimensions exact.
        parameters: to which the widths of a child are fitted, embeddings among them; None keeps the widths that
            follow from the dimension, which may be very wide.
        tolerance: share of `parameters` by which a child may miss them; one that misses them by more fails.
        relative_positions: distances of relative positions in self-attention, in place of sinusoids; 0 for these.
        learning_rate: factor on the schedule.
        warmup_steps: steps in which the learning rate rises.
        label_smoothing: share of each label that is spread over the vocabulary in training.
        dropout: rate.
        vocabulary_size: token ids of the subwords of parallel text.
        max_length: training pairs with more token ids on one side are left out.
        limit: most pairs of each part of the data; None for all.
        validation: parallel text to measure on, "SOURCE:TARGET"; None holds out a part of the training text.
        cores: threads TensorFlow may use, for the whole process; None leaves its choice.
    """

    steps: list[int] = [100, 200, 400]
    batch_tokens: int = 1024
    dimension: int = 64
    parameters: int | None = 500_000
    tolerance: float = 0.1
    relative_positions: int = 0
    learning_rate: float = 0.5
    warmup_steps: int = 200
    label_smoothing: float = 0.1
    dropout: float = 0.0
    vocabulary_size: int = 4000
    max_length: int = 64
    limit: int | None = None
    validation: str | None = None
    cores: int | None = None

    def _on_bound(self) -> None:
        super()._on_bound()
        steps = list(self.steps)
        if not steps or steps[0] < 1 or steps != sorted(set(steps)):
            raise ValueError(f"Expected steps that rise from at least 1, received {steps}.")
        positive = ("batch_tokens", "parameters", "tolerance", "learning_rate", "warmup_steps", "vocabulary_size")
        for name in (*positive, "max_length", "limit", "cores"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"Expected {name} above 0, received {value}.")
        for name in ("label_smoothing", "dropout"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"Expected {name} from 0 to below 1, received {value}.")
        if self.dimension < 32 or self.dimension % 32:
            raise ValueError(f"Expected a dimension that is a multiple of 32, received {self.dimension}.")
        if self.relative_positions < 0:
            raise ValueError(f"Expected relative_positions of 0 or more, received {self.relative_positions}.")

    @property
    def rungs(self) -> Sequence[Rung]:
        """One rung for each number of steps."""
        return [Rung(f"{n} step{'s' if n > 1 else ''}", "steps", n) for n in self.steps]

    def prepare(self, cores: int) -> None:
        """Imports TensorFlow, bound to `cores` threads unless the program has a number of its own."""
        prepare_process(self.cores or cores)

    def load(self, name: str, seed: int, test: str | None = None) -> SequenceDataset:
        """The data set of a name, see `load_sequences`.

        Args:
            name: a task or parallel text.
            seed: of what is drawn or held out.
            test: parallel text to report on; None holds out a part of the training text.
        """
        return load_sequences(
            name,
            seed=seed,
            vocabulary_size=int(self.vocabulary_size),
            max_length=int(self.max_length),
            limit=self.limit,
            validation=self.validation,
            test=test,
        )

    def sized(self, candidate: EvolvedTransformer, data: SequenceDataset) -> EvolvedTransformer:
        """The individual at the size at which it is trained.

        Raises:
            ChildFailed: if it cannot be fitted to the budget of parameters.
        """
        network: EvolvedTransformer = candidate.clone(deep=True)
        changes = {
            "dimension": self.dimension,
            "vocabulary": data.vocabulary.size,
            "source_length": data.max_length + 1,
            "target_length": data.max_length + 1,
            "dropout": self.dropout,
            "relative_positions": self.relative_positions,
        }
        network.rebind(changes, raise_on_no_change=False)
        if self.parameters is None:
            return network
        wanted = int(self.parameters)
        try:
            return fit_to_budget(network, wanted, round(float(self.tolerance) * wanted))
        except ValueError as error:
            raise ChildFailed(str(error)) from error

    def begin(self, candidate: EvolvedTransformer, *, seed: int, data: SequenceDataset) -> Begun:
        """An individual at its size as a Keras model, ready to be trained.

        Args:
            candidate: the individual.
            seed: of initial values, dropout and the order of the batches.
            data: what to train on.

        Raises:
            ChildFailed: if it cannot be fitted to the budget of parameters.
        """
        network = self.sized(candidate, data)
        model = build_sequence_model(network, seed=seed, composed_swish=True)
        rates = noam_schedule(
            self.steps[-1],
            dimension=int(self.dimension),
            warmup_steps=int(self.warmup_steps),
            scale=float(self.learning_rate),
        )
        training = SequenceTraining(
            model,
            Adam(model.trainable_variables, beta_1=0.9, beta_2=0.98, epsilon=1e-9),
            data.train,
            batch_tokens=int(self.batch_tokens),
            label_smoothing=float(self.label_smoothing),
            learning_rates=rates,
            seed=seed,
        )
        return Begun(network, model, training)

    def run(
        self, candidate: Any, *, seed: int, data: SequenceDataset, checkpoint: bytes | None = None
    ) -> Iterator[Measurement]:
        """Trains an individual rung by rung.

        Args:
            candidate: an `EvolvedTransformer`.
            seed: of initial values, dropout and the order of the batches.
            data: of `load`.
            checkpoint: state of an earlier measurement of the same training, to go on from there.

        Yields:
            What `SequenceTraining.measure` gives on the validation pairs, "train_loss" of the steps since the
            measurement before (nats, with label smoothing) and "child_parameters"; the first rung's seconds
            include building and compiling.

        Raises:
            ChildFailed: if a loss is not finite, or the individual cannot be fitted to the budget of parameters.
            ValueError: if the candidate is no encoder-decoder.
        """
        if not isinstance(candidate, EvolvedTransformer):
            raise ValueError(
                f"Expected an encoder-decoder to train, received {type(candidate).__name__}: "
                "choose another child program for this space."
            )
        prepare_process(self.cores)
        import keras

        try:
            yield from self._measurements(candidate, seed, data, checkpoint)
        finally:
            keras.utils.clear_session()

    def _measurements(
        self, candidate: EvolvedTransformer, seed: int, data: SequenceDataset, checkpoint: bytes | None
    ) -> Iterator[Measurement]:
        started = time.perf_counter()
        _, model, training = self.begin(candidate, seed=seed, data=data)
        parameters = float(model.count_params())

        def measure() -> dict[str, float]:
            return {**training.measure(data.valid), "child_parameters": parameters}

        yield from measurements(training, self.steps, measure, checkpoint=checkpoint, started=started)
