"""English to German: a search with progressive dynamic hurdles on Ray, then its winner against the Transformer.

`python -m autoglyph.experiments.presets.translation multi30k` searches unless the run is recorded
already; winner and seed are then trained for the same steps on the same batches, their widths fitted to the same budget
of parameters, and both are scored on the test sentences.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import typer

RUN, SEED_INDIVIDUAL, TEST = "translation", "transformer-tiny", "test_2016_flickr"
SEARCH = {"program.vocabulary_size": "2000", "program.max_length": "48"}
SIZES = {
    False: {"program.steps": "[100,200,400]", "algorithm.population_size": "8", "algorithm.tournament_size": "3"},
    True: {"program.steps": "[2,4]", "algorithm.population_size": "2", "program.limit": "300"},
}
TRIALS = {False: 29, True: 4}


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of train, val and test_2016_flickr, each .en.gz and .de.gz.")],
    store: Annotated[Path, typer.Option(help="The record.")] = Path("autoglyph.db"),
    steps: Annotated[int, typer.Option(min=1, help="Steps for which winner and seed are trained.")] = 3000,
    batch_tokens: Annotated[int, typer.Option(min=1, help="Rows x padded length of their batches.")] = 2048,
    workers: Annotated[int, typer.Option(min=1, help="Children in training at once.")] = 2,
    smoke: Annotated[bool, typer.Option("--smoke", help="A small size that only shows that it works.")] = False,
) -> None:
    """Search, train winner and Transformer equally, print their scores as JSON."""
    search(folder, store, workers=workers, smoke=smoke)
    final = {"steps": [steps], "batch_tokens": batch_tokens, "dropout": 0.1}
    references = {"winner": f"{RUN}:best", "transformer": f"evolved_transformer:{SEED_INDIVIDUAL}"}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        under_way = {
            name: pool.submit(score, reference, store, f"{folder / TEST}.en.gz:{folder / TEST}.de.gz", final)
            for name, reference in references.items()
        }
        for name, result in under_way.items():
            print(json.dumps({name: result.result()}, indent=2), flush=True)


def search(folder: Path, store: Path, *, workers: int, smoke: bool) -> None:
    """Searches on Ray with the Transformer as the start, unless the record has such a run."""
    from autoglyph.experiments import cli
    from autoglyph.experiments.store import Store

    if store.exists():
        with Store(store) as opened:
            if any(run.name == RUN for run in opened.runs()):
                return
    validation = {"program.validation": f"{folder / 'val.en.gz'}:{folder / 'val.de.gz'}"}
    settings = {**SEARCH, **SIZES[smoke], **validation, "algorithm.start": SEED_INDIVIDUAL}
    words = ["search", "evolved_transformer", "--run", RUN, "--store", str(store)]
    words += ["--data", f"{folder / 'train.en.gz'}:{folder / 'train.de.gz'}"]
    words += ["--algorithm", "tournament_evolution", "--hurdles", "pdh", "--trials", str(TRIALS[smoke])]
    words += ["--executor", "ray", "--workers", str(workers), "--in-flight", str(workers)]
    for path, value in settings.items():
        words += ["--set", f"{path}={value}"]
    code = cli.run(words)
    if code:
        raise typer.Exit(code)


def score(reference: str, store: Path, test: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Trains an individual as the run's program does, with other settings, and scores it on test text.

    Args:
        reference: see `replay`.
        store: the record of the run.
        test: parallel text.
        changes: settings of the program that differ from those of the search.

    Returns:
        Plain object with parameters, training loss and what `Evaluation` holds, three of the hypotheses.
    """
    from autoglyph.child_programs.sequence_decoding import SequenceDecoder
    from autoglyph.child_programs.sequence_evaluation import evaluate
    from autoglyph.child_programs.tensorflow_process import prepare_process
    from autoglyph.experiments.experiment import from_description
    from autoglyph.experiments.replaying.replayed import replay
    from autoglyph.experiments.run import Run

    prepare_process(1)
    experiment, _ = from_description(Run.open(RUN, store).record.experiment)
    program = experiment.program
    program.rebind(dict(changes), raise_on_no_change=False)
    data = program.load(experiment.data, experiment.seed, test)
    network, model, training = program.begin(replay(reference, store).individual, seed=experiment.seed, data=data)
    loss = training.train_until(program.steps[-1])
    found = evaluate(training, SequenceDecoder(network, model), data.test, data.vocabulary)
    return {
        "individual": reference,
        "parameters": int(model.count_params()),
        "steps": training.position,
        "train_loss": loss,
        **asdict(found),
        "hypotheses": found.hypotheses[:3],
        "sources": data.test.source_texts[:3],
    }


if __name__ == "__main__":
    typer.run(main)
