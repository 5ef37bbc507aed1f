"""A recurrent controller that writes an individual token by token, in NumPy with its own backward pass.

The network is that of Zoph and Le 2017 ("Neural Architecture Search with Reinforcement Learning"): an LSTM whose
input is an embedding of the token before, with one output layer per column. All its weights are one flat vector,
so that optimizers, kernels between controllers and numerical checks see a point of R^P. A decision that is not
made is skipped: the state passes it by unchanged, and the next input is the last token that was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms.base import FloatArray, IntArray
from autoglyph.algorithms.controllers.decision_sequence import DecisionSequence, Mask

_INITIALISATION = 0x5EED  # keeps the draw of the weights apart from those of the asks
_INITIAL_SCALE = 0.1  # of uniform initial weights, as published for NAS controllers
_FORGET_BIAS = 1.0


class Weights(NamedTuple):
    """Named views of a weight vector: D hidden units, V tokens of all columns and one to start with.

    Attributes:
        embedding: (V + 1, D) input vector of each token.
        kernel: (2 D, 4 D) from input and state to the input, forget and output gates and the new content.
        bias: (4 D,) of the same.
        heads: (L, D, K) from the state to the scores of the candidates of each column.
        head_bias: (L, K) of the same.
    """

    embedding: FloatArray
    kernel: FloatArray
    bias: FloatArray
    heads: FloatArray
    head_bias: FloatArray


class _Step(NamedTuple):
    """What the backward pass needs of one step."""

    inputs: FloatArray
    gates: FloatArray
    content: FloatArray
    cell_before: FloatArray
    cell_tanh: FloatArray
    state: FloatArray
    previous: IntArray
    made: Mask


@dataclass(frozen=True, eq=False)
class Pass:
    """A forward pass over n sequences.

    Attributes:
        tokens: (n, L) the sequences.
        made: (n, L) which decisions are made.
        scores: (n, L, K) of all candidates; -inf where not legal.
        steps: what the backward pass needs.
    """

    tokens: IntArray
    made: Mask
    scores: FloatArray
    steps: list[_Step]

    @property
    def log_probabilities(self) -> FloatArray:
        """(n, L, K) logarithms of the policy, -inf where not legal."""
        shifted = self.scores - self.scores.max(axis=2, keepdims=True)
        logarithms: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
        return logarithms

    def chosen(self, values: FloatArray) -> FloatArray:
        """(n, L) values of the candidates that the sequences have, 0 where no decision is made."""
        taken = np.take_along_axis(values, self.tokens[:, :, None], axis=2)[:, :, 0]
        return np.where(self.made, taken, 0.0)


class Controller:
    """The shape of a controller for one space; its weights are passed in.

    Args:
        sequence: the tokens of the space.
        hidden_size: units of the LSTM and size of the embeddings.

    Attributes:
        size: how many weights there are, P.
    """

    def __init__(self, sequence: DecisionSequence, hidden_size: int) -> None:
        self.sequence = sequence
        self._hidden = hidden_size
        self._offsets = np.concatenate([[0], np.cumsum(sequence.counts)])
        self._start = int(self._offsets[-1])
        length, width = sequence.length, sequence.width
        self._shapes = [
            (self._start + 1, hidden_size),
            (2 * hidden_size, 4 * hidden_size),
            (4 * hidden_size,),
            (length, hidden_size, width),
            (length, width),
        ]
        self.size = sum(int(np.prod(shape)) for shape in self._shapes)

    def views(self, weights: FloatArray) -> Weights:
        """The parts of a (P,) weight vector; writing to them writes to it."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self._shapes])
        parts = np.split(weights, ends[:-1])
        return Weights(*(part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)))

    def initial(self, rng: np.random.Generator) -> FloatArray:
        """(P,) weights whose first policy is uniform over the legal candidates of every decision."""
        weights = rng.uniform(-_INITIAL_SCALE, _INITIAL_SCALE, self.size)
        parts = self.views(weights)
        parts.heads[:] = 0.0
        parts.head_bias[:] = 0.0
        parts.bias[:] = 0.0
        parts.bias[self._hidden : 2 * self._hidden] = _FORGET_BIAS
        return weights

    def seeded(self, seed: int, number: int = 1) -> FloatArray:
        """(P,) weights as `initial` draws them for a seed of a search, apart from what it draws for proposals.

        Args:
            seed: of the search.
            number: of the controller, from 1, where a search has several.
        """
        return self.initial(np.random.default_rng([seed, _INITIALISATION, number]))

    def sample(self, weights: FloatArray, n: int, rng: np.random.Generator) -> Pass:
        """Draws n sequences from the policy."""
        noise = rng.gumbel(size=(self.sequence.length, n, self.sequence.width))
        return self._run(weights, n, None, noise)

    def epsilon_greedy(self, weights: FloatArray, n: int, epsilon: float, rng: np.random.Generator) -> Pass:
        """Draws n sequences whose decisions have the highest score, or with probability epsilon are random."""
        shape = (self.sequence.length, n, self.sequence.width)
        explored = rng.random(shape[:2]) < epsilon
        noise = np.where(explored[:, :, None], rng.random(shape), 0.0)
        return self._run(weights, n, None, noise, explored)

    def forward(self, weights: FloatArray, tokens: IntArray, made: Mask) -> Pass:
        """The scores of given sequences, as `DecisionSequence.of` returns them."""
        return self._run(weights, len(tokens), (tokens, made), None)

    def backward(self, weights: FloatArray, run: Pass, score_gradient: FloatArray) -> FloatArray:
        """(P,) gradient of the weights, given that of the scores.

        Args:
            weights: of the forward pass.
            run: the forward pass.
            score_gradient: (n, L, K), 0 where a candidate is not legal; ignored where no decision is made.
        """
        parts, gradient = self.views(weights), np.zeros(self.size)
        grads, hidden = self.views(gradient), self._hidden
        state_gradient = np.zeros((len(run.tokens), hidden))
        cell_gradient = np.zeros_like(state_gradient)
        for at in reversed(range(self.sequence.length)):
            step = run.steps[at]
            made = step.made[:, None]
            scores = np.where(made, score_gradient[:, at], 0.0)
            grads.heads[at] = step.state.T @ scores
            grads.head_bias[at] = scores.sum(axis=0)
            state = np.where(made, state_gradient + scores @ parts.heads[at].T, 0.0)
            cell_in = np.where(made, cell_gradient, 0.0)
            i, f, o = step.gates[:, :hidden], step.gates[:, hidden : 2 * hidden], step.gates[:, 2 * hidden :]
            cell = cell_in + state * o * (1 - step.cell_tanh**2)
            before = np.concatenate([cell * step.content, cell * step.cell_before, state * step.cell_tanh], axis=1)
            before *= step.gates * (1 - step.gates)
            activations = np.concatenate([before, cell * i * (1 - step.content**2)], axis=1)
            grads.kernel[:] += step.inputs.T @ activations
            grads.bias[:] += activations.sum(axis=0)
            inputs = activations @ parts.kernel.T
            np.add.at(grads.embedding, step.previous, inputs[:, :hidden])
            state_gradient = np.where(made, inputs[:, hidden:], state_gradient)
            cell_gradient = np.where(made, cell * f, cell_gradient)
        return gradient

    def _run(
        self,
        weights: FloatArray,
        n: int,
        given: tuple[IntArray, Mask] | None,
        noise: FloatArray | None,
        explored: NDArray[np.bool_] | None = None,
    ) -> Pass:
        """Reads the given sequences, or writes them: each token is the best of score plus noise."""
        sequence, parts, hidden = self.sequence, self.views(weights), self._hidden
        tokens, made = given or (np.zeros((n, sequence.length), np.int64), np.zeros((n, sequence.length), bool))
        scores = np.full((n, sequence.length, sequence.width), -np.inf)
        state, cell = np.zeros((n, hidden)), np.zeros((n, hidden))
        previous = np.full(n, self._start)
        steps = []
        for at in range(sequence.length):
            if given is None:
                made[:, at] = sequence.made(at, tokens, made)
            here = made[:, at]
            inputs = np.concatenate([parts.embedding[previous], state], axis=1)
            activations = inputs @ parts.kernel + parts.bias
            gates = _sigmoid(activations[:, : 3 * hidden])
            content = np.tanh(activations[:, 3 * hidden :])
            new_cell = gates[:, :hidden] * content + gates[:, hidden : 2 * hidden] * cell
            cell_tanh = np.tanh(new_cell)
            new_state = gates[:, 2 * hidden :] * cell_tanh
            steps.append(_Step(inputs, gates, content, cell, cell_tanh, new_state, previous, here))
            legal = sequence.legal(at, tokens)
            scores[:, at] = np.where(legal, new_state @ parts.heads[at] + parts.head_bias[at], -np.inf)
            if noise is not None:
                seen = scores[:, at]
                if explored is not None:
                    seen = np.where(explored[at][:, None] & legal, 0.0, seen)
                tokens[:, at] = np.where(here, (seen + noise[at]).argmax(axis=1), 0)
            state = np.where(here[:, None], new_state, state)
            cell = np.where(here[:, None], new_cell, cell)
            previous = np.where(here, self._offsets[at] + tokens[:, at], previous)
        return Pass(tokens, made, scores, steps)


def _sigmoid(values: FloatArray) -> FloatArray:
    return 0.5 * (1.0 + np.tanh(0.5 * values))
