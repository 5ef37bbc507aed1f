"""Greedy and beam decoding with cached keys, values and windows.

A step reads every layer of the decoder at one position; the source is encoded once. Decoding runs as one graph
for each shape of sources, so give few shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.decoding_nets import Start, decode_position, encoder_of, start_decoding
from autoglyph.child_programs.sequences.vocabulary import BEGIN, END, PADDING
from autoglyph.search_spaces.architecture import Architecture

ALPHA = 0.6
"""Exponent of the length penalty of Wu et al. 2016 that Vaswani et al. 2017 and So et al. 2019 use with 4 beams."""


@dataclass(frozen=True)
class Hypotheses:
    """What was decoded.

    Attributes:
        tokens: (sources, beams, steps) int32, the best beam first; each row ends with END, or is cut at the last
            step, and has padding behind.
        scores: (sources, beams) float32 log-probability by length penalty; -inf where there is no such beam.
    """

    tokens: NDArray[np.int32]
    scores: NDArray[np.float32]


class SequenceDecoder:
    """Decodes with a built model, whose weights may go on changing.

    Padding and begin are never decoded, and a source without tokens has an output without tokens.

    Args:
        architecture: an individual with an encoder and a decoder.
        model: that was built of it by `build_sequence_model`, or loaded from its file.

    Raises:
        ValueError: if the model is not one of the architecture.
    """

    def __init__(self, architecture: Architecture, model: Any) -> None:
        import tensorflow as tf

        self.architecture = architecture
        self.model = model
        self._encoder = encoder_of(model)
        self._greedy = tf.function(self._greedy_graph, autograph=False)
        self._beam = tf.function(self._beam_graph, autograph=False)
        self._logits = tf.function(self._logits_graph, autograph=False)

    def greedy(self, source: NDArray[np.int32], *, steps: int) -> Hypotheses:
        """The most probable token at every position.

        Args:
            source: (sources, length) token ids, END at the end of each and padding behind.
            steps: most tokens of an output, its end among them.

        Returns:
            One beam for each source; its score is the log-probability.
        """
        tokens, scores = self._greedy(*_checked(source, steps))
        return Hypotheses(tokens.numpy()[:, None], scores.numpy()[:, None])

    def beam(self, source: NDArray[np.int32], *, steps: int, beams: int = 4, alpha: float = ALPHA) -> Hypotheses:
        """Beam search with the length penalty ((5 + length) / 6) ** alpha (Wu et al. 2016, equation 14).

        An output is finished when END is among the best `beams` ways to go on. The search for a source stops when
        `beams` outputs are finished or none that is open can become better than the best. Where none is finished
        at the last step, the open ones are given. One beam decodes as `greedy` does.

        Args:
            source: (sources, length) token ids, END at the end of each and padding behind.
            steps: most tokens of an output, its end among them.
            beams: open hypotheses of each source.
            alpha: exponent of the length penalty, at least 0; the length counts the end.
        """
        if beams < 1 or alpha < 0:
            raise ValueError(f"Expected at least one beam and alpha of at least 0, received {beams} and {alpha}.")
        import tensorflow as tf

        tokens, scores = self._beam(*_checked(source, steps), beams, tf.constant(alpha, tf.float32))
        return Hypotheses(tokens.numpy(), scores.numpy())

    def logits(self, source: NDArray[np.int32], target: NDArray[np.int32]) -> NDArray[np.float32]:
        """Logits of given targets, computed step by step: equal to those of the model up to rounding.

        Args:
            source: (sources, length) token ids, END at the end of each and padding behind.
            target: (sources, steps) token ids behind BEGIN.

        Returns:
            (sources, steps, vocabulary); position t holds the logits of the token that follows position t.
        """
        import tensorflow as tf

        tensor, _ = _checked(source, target.shape[1])
        values: NDArray[np.float32] = self._logits(tensor, tf.constant(target, tf.int32)).numpy()
        return values

    def madds(self, *, source_length: int, steps: int) -> tuple[int, int]:
        """(multiply-adds of one step, multiply-adds on the encoded source that are made once), for one row.

        Args:
            source_length: tokens of the source.
            steps: most tokens of an output; every step attends to so many keys.
        """
        import tensorflow as tf

        encoded = tf.zeros((1, source_length, self._encoder.output.shape[-1]))
        start = start_decoding(self.architecture, self.model, encoded, beams=1, steps=steps)
        return start.madds, start.known_madds

    def _start(self, source: Any, *, beams: int, steps: int) -> tuple[Any, Start]:
        encoded = self._encoder(source, training=False)
        return encoded, start_decoding(self.architecture, self.model, encoded, beams=beams, steps=steps)

    def _step(
        self, begun: tuple[Any, Start], tokens: Any, position: Any, caches: dict[str, Any], beams: int
    ) -> tuple[Any, dict[str, Any]]:
        return decode_position(
            self.architecture, self.model, *begun, tokens=tokens, position=position, caches=caches, beams=beams
        )

    def _logits_graph(self, source: Any, target: Any) -> Any:
        import tensorflow as tf

        steps = target.shape[1]
        begun = self._start(source, beams=1, steps=steps)

        def body(position: Any, written: Any, caches: Any) -> Any:
            logits, caches = self._step(begun, tf.gather(target, position, axis=1), position, caches, 1)
            return position + 1, written.write(position, logits), caches

        written = tf.TensorArray(tf.float32, steps)
        _, written, _ = tf.while_loop(lambda p, *_: p < steps, body, (tf.constant(0), written, begun[1].caches))
        return tf.transpose(written.stack(), (1, 0, 2))

    def _greedy_graph(self, source: Any, steps: int) -> Any:
        import tensorflow as tf

        rows = source.shape[0]
        begun = self._start(source, beams=1, steps=steps)

        def body(position: Any, last: Any, ended: Any, tokens: Any, scores: Any, caches: Any) -> Any:
            logits, caches = self._step(begun, last, position, caches, 1)
            log_shares = _log_shares(logits)
            best = tf.argmax(log_shares, axis=-1, output_type=tf.int32)
            scores += tf.where(ended, 0.0, tf.gather(log_shares, best, axis=1, batch_dims=1))
            chosen = tf.where(ended, PADDING, best)
            return position + 1, chosen, ended | (chosen == END), _put(tokens, position, chosen), scores, caches

        _, _, _, tokens, scores, _ = tf.while_loop(
            lambda position, last, ended, *_: (position < steps) & ~tf.reduce_all(ended),
            body,
            (
                tf.constant(0),
                tf.fill((rows,), BEGIN),
                _is_empty(source),
                tf.zeros((rows, steps), tf.int32),
                tf.zeros((rows,)),
                begun[1].caches,
            ),
        )
        return tokens, scores

    def _beam_graph(self, source: Any, steps: int, beams: int, alpha: Any) -> Any:
        import tensorflow as tf

        rows = source.shape[0]
        begun = self._start(source, beams=beams, steps=steps)
        longest = _penalty(steps, alpha)

        def body(position: Any, last: Any, state: _Beams, caches: Any) -> Any:
            logits, caches = self._step(begun, tf.reshape(last, (-1,)), position, caches, beams)
            log_shares = tf.reshape(_log_shares(logits), (rows, beams, -1))
            state, parent, last = _advance(state, log_shares, position, _penalty(position + 1, alpha), longest)
            flat = tf.reshape(parent + beams * tf.range(rows)[:, None], (-1,))
            return position + 1, last, state, {name: tf.gather(cache, flat) for name, cache in caches.items()}

        _, _, state, _ = tf.while_loop(
            lambda position, last, state, caches: (position < steps) & ~tf.reduce_all(state["done"]),
            body,
            (tf.constant(0), tf.fill((rows, beams), BEGIN), _first_beams(source, beams, steps), begun[1].caches),
        )
        none_finished = tf.reduce_all(tf.math.is_inf(state["scores"]), axis=1)[:, None]
        tokens = tf.where(none_finished[..., None], state["open_tokens"], state["tokens"])
        return tokens, tf.where(none_finished, state["open"] / longest, state["scores"])


_Beams = dict[str, Any]
"""State of a beam search: "open" (sources, beams) log-probabilities and "open_tokens" (sources, beams, steps) of
hypotheses without an end; "scores" and "tokens" of finished ones; "done" (sources,)."""


def _first_beams(source: Any, beams: int, steps: int) -> _Beams:
    import tensorflow as tf

    rows = source.shape[0]
    empty = _is_empty(source)
    none = tf.fill((rows, beams - 1), -np.inf)
    nowhere = tf.fill((rows,), -np.inf)
    return {
        "open": tf.concat([tf.where(empty, nowhere, 0.0)[:, None], none], axis=1),
        "open_tokens": tf.zeros((rows, beams, steps), tf.int32),
        "scores": tf.concat([tf.where(empty, 0.0, nowhere)[:, None], none], axis=1),
        "tokens": tf.zeros((rows, beams, steps), tf.int32),
        "done": empty,
    }


def _advance(state: _Beams, log_shares: Any, position: Any, penalty: Any, longest: Any) -> tuple[_Beams, Any, Any]:
    """The next state, the beam that each open one goes on from, and its last token."""
    import tensorflow as tf

    rows, beams, vocabulary = log_shares.shape
    candidates = tf.reshape(state["open"][..., None] + log_shares, (rows, beams * vocabulary))
    values, flat = tf.math.top_k(candidates, 2 * beams)
    parent, token = flat // vocabulary, flat % vocabulary
    tokens = _put(tf.gather(state["open_tokens"], parent, batch_dims=1), position, token)
    ends = token == END
    finished = tf.where(ends & (tf.range(2 * beams) < beams), values / penalty, -np.inf)
    scores, picked = tf.math.top_k(tf.concat([state["scores"], finished], axis=1), beams)
    finished_tokens = tf.gather(tf.concat([state["tokens"], tokens], axis=1), picked, batch_dims=1)
    still_open, going_on = tf.math.top_k(tf.where(ends, -np.inf, values), beams)
    all_finished = tf.reduce_all(tf.math.is_finite(scores), axis=1)
    done = state["done"] | all_finished | (scores[:, 0] >= still_open[:, 0] / longest)
    still_open = tf.where(done[:, None], -np.inf, still_open)
    advanced = {
        "open": still_open,
        "open_tokens": tf.gather(tokens, going_on, batch_dims=1),
        "scores": scores,
        "tokens": finished_tokens,
        "done": done,
    }
    return advanced, tf.gather(parent, going_on, batch_dims=1), tf.gather(token, going_on, batch_dims=1)


def _checked(source: NDArray[np.int32], steps: int) -> tuple[Any, int]:
    import tensorflow as tf

    if steps < 1 or source.ndim != 2 or not source.size:
        raise ValueError(f"Expected sources (rows, length) and at least 1 step, received {source.shape} and {steps}.")
    return tf.constant(source, tf.int32), int(steps)


def _log_shares(logits: Any) -> Any:
    """(rows, vocabulary) log-probabilities of the tokens that an output may hold."""
    import tensorflow as tf

    never = tf.reduce_any(tf.range(logits.shape[-1])[:, None] == [PADDING, BEGIN], axis=1)
    return tf.nn.log_softmax(tf.where(never, -np.inf, logits))


def _penalty(length: Any, alpha: Any) -> Any:
    import tensorflow as tf

    return ((5.0 + tf.cast(length, tf.float32)) / 6.0) ** alpha


def _put(tokens: Any, position: Any, chosen: Any) -> Any:
    """(..., steps) tokens with (...) those chosen at the position."""
    import tensorflow as tf

    return tf.where(tf.range(tokens.shape[-1]) == position, chosen[..., None], tokens)


def _is_empty(source: Any) -> Any:
    """(rows,) whether a source begins with its end or with padding."""
    return (source[:, 0] == END) | (source[:, 0] == PADDING)
