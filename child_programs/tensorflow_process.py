"""Settings of TensorFlow that hold for a whole process."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


def prepare_process(cores: int | None = None) -> None:
    """Makes TensorFlow in this process repeatable and, if asked, bound to some cores.

    Repeatable means that equal seeds give equal numbers on equal machines; operations that cannot promise
    it raise from now on, as do random operations without a seed. Calling it again changes nothing.

    Args:
        cores: threads for one operation, which run one operation at a time; None leaves TensorFlow's own
            choice, all cores. Numbers of different core counts may differ by rounding.

    Raises:
        ValueError: if there is not at least one core, or TensorFlow already computed in this process with
            another number.
    """
    import_quietly()
    import tensorflow as tf

    if cores is not None:
        if cores < 1:
            raise ValueError(f"Expected at least 1 core, received {cores}.")
        try:
            tf.config.threading.set_intra_op_parallelism_threads(cores)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError as error:
            running = tf.config.threading.get_intra_op_parallelism_threads() or "all"
            raise ValueError(
                f"TensorFlow already runs on {running} cores in this process: "
                f"ask for {cores} before anything else uses it, or leave the cores out."
            ) from error
    tf.config.experimental.enable_op_determinism()


def import_quietly() -> None:
    """Imports TensorFlow and Keras without the remarks that their C++ parts write past Python's streams.

    What they say at import, such as which CUDA libraries are missing, is no news where no accelerator is;
    errors raise all the same. Set AUTOGLYPH_DEBUG to see everything.
    """
    if "keras" in sys.modules or os.environ.get("AUTOGLYPH_DEBUG"):
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _standard_error_closed():
        import keras  # noqa: F401
        import tensorflow as tf

        tf.config.list_physical_devices()


@contextlib.contextmanager
def _standard_error_closed() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
