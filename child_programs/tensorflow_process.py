"""Settings of TensorFlow that hold for a whole process."""

from __future__ import annotations


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
