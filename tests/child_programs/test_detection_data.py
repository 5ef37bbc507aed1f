"""Detection data: canvases of digits, and COCO files whose bad annotations are named, skipped or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from autoglyph.child_programs.dataset_sources import LabelledImages, Source
from autoglyph.child_programs.detection import digits_canvas
from autoglyph.child_programs.detection.detection_data import load_detection
from autoglyph.child_programs.detection.examples import read_square
from autoglyph.child_programs.detection.object_detection import ObjectDetection


def coco(folder: Path, *, images: int = 4, extra: list[Any] | None = None, **changes: Any) -> str:
    """Images of 60 x 40 with one box each, in COCO's format; `extra` annotations come last."""
    pictures = folder / "images"
    pictures.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    rows, annotations = [], []
    for n in range(images):
        PIL.Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8)).save(pictures / f"{n}.png")
        rows.append({"id": n + 10, "file_name": f"{n}.png", "width": 60, "height": 40})
        annotations.append({"id": n, "image_id": n + 10, "category_id": 7, "bbox": [10, 5, 30, 20], "iscrowd": n % 2})
    plain = {
        "images": rows,
        "annotations": annotations + (extra or []),
        "categories": [{"id": 7, "name": "cat"}, {"id": 3, "name": "ant"}],
    }
    (folder / "boxes.json").write_text(json.dumps(plain | changes))
    return f"{folder / 'boxes.json'}:{pictures}"


def test_canvases_are_the_same_for_equal_seeds_and_have_their_boxes_inside() -> None:
    data = load_detection("digits_canvas", seed=0, limit=8)
    again, other = (load_detection("digits_canvas", seed=seed, limit=8) for seed in (0, 1))
    for part in ("train", "valid", "test"):
        examples = getattr(data, part)
        pixels = examples.images.batch(range(8))
        assert pixels.shape == (8, 128, 128, 1) and pixels.dtype == np.float32 and 0 <= pixels.min() < pixels.max() <= 1
        assert (pixels == getattr(again, part).images.batch(range(8))).all()
        assert (pixels != getattr(other, part).images.batch(range(8))).any()
        for image, boxes, labels in zip(pixels, examples.boxes, examples.labels, strict=True):
            assert len(boxes) == len(labels) >= 1
            assert (boxes[:, 2:] > boxes[:, :2]).all() and boxes.min() >= 0 and boxes.max() <= 128
            for left, top, right, bottom in boxes.astype(int):
                assert image[top:bottom, left:right].max() > 0.5
    assert data.classes == 10 and data.channels == 1 and not data.skipped


def test_no_digit_is_in_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    numbered = LabelledImages(np.ones((200, 8, 8, 1)), np.arange(200, dtype=np.int32))
    monkeypatch.setattr(digits_canvas, "read_source", lambda name: Source(numbered, None, name, ""))
    data = load_detection("digits_canvas", seed=3, limit=64)
    parts = [set(np.concatenate(p.labels).tolist()) for p in (data.train, data.valid, data.test)]
    assert all(parts) and not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


def test_coco_files_are_read_scaled_and_divided(tmp_path: Path) -> None:
    data = load_detection(coco(tmp_path), seed=0)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [2, 1, 1]
    assert data.class_names == ("ant", "cat") and data.channels == 3 and data.name == "boxes" and not data.skipped
    for part in (data.train, data.valid, data.test):
        assert part.images.batch([0]).shape == (1, 128, 128, 3)
        assert part.images.batch([0])[0, 90:].max() == 0
        np.testing.assert_allclose(part.boxes[0], np.array([[10, 5, 40, 25]]) * 128 / 60, rtol=1e-6)
        assert part.labels[0].tolist() == [1] and part.scales[0] == pytest.approx(128 / 60)
    assert sorted(bool(c[0]) for p in (data.train, data.valid, data.test) for c in p.crowds) == [False] * 2 + [True] * 2
    assert len(load_detection(coco(tmp_path), seed=0, limit=1).train) == 1


def test_a_second_file_is_the_test(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    name = f"{coco(tmp_path)},{coco(tmp_path / 'other', images=2)}"
    data = load_detection(name, seed=0)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [3, 1, 2]


BAD = [
    ({"id": 90, "image_id": 10, "category_id": 7, "bbox": [1, 1, 0, 5]}, "Annotation 90 .* empty box"),
    ({"id": 91, "image_id": 10, "category_id": 7, "bbox": [50, 1, 30, 5]}, "Annotation 91 .* outside its image"),
    ({"id": 92, "image_id": 99, "category_id": 7, "bbox": [1, 1, 5, 5]}, "Annotation 92 .* image 99, which is not"),
    ({"id": 93, "image_id": 10, "category_id": 1, "bbox": [1, 1, 5, 5]}, "Annotation 93 .* category 1, which is not"),
    ({"id": 94, "image_id": 10, "category_id": 7, "bbox": [1, 1, "x", 5]}, "Annotation 94 .* not four numbers"),
    ({"id": 95, "image_id": 10, "category_id": 7}, "Annotation 95 .* not four numbers"),
    ({"id": 96, "image_id": [10], "category_id": 7, "bbox": [1, 1, 5, 5]}, "Annotation 96 .* not there"),
    ({"id": 97, "image_id": 10, "category_id": 7, "bbox": [70, 1, 0.5, 5]}, "Annotation 97 .* outside its image"),
    ({"id": 98, "image_id": 10, "category_id": 7, "bbox": [1, float("nan"), 5, 5]}, "Annotation 98 .* four numbers"),
    ("text", "Annotation 4 .* no object"),
]


@pytest.mark.parametrize(("annotation", "sentence"), BAD)
def test_a_bad_annotation_is_named_and_skipped_or_refused(tmp_path: Path, annotation: Any, sentence: str) -> None:
    name = coco(tmp_path, extra=[annotation])
    data = load_detection(name, seed=0)
    assert len(data.skipped) == 1
    assert sum(p.num_boxes for p in (data.train, data.valid, data.test)) == 4
    with pytest.raises(ValueError, match=sentence) as error:
        load_detection(name, seed=0, strict=True)
    assert str(error.value).startswith(data.skipped[0])


def test_the_child_program_names_what_it_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = coco(tmp_path, extra=[annotation for annotation, _ in BAD])
    data = ObjectDetection(limit=2).load(name, 0)
    said = capsys.readouterr().err.splitlines()
    assert said[:5] == [f"Skipped: {sentence}." for sentence in data.skipped[:5]] and said[5:] == ["Skipped: 5 more."]
    with pytest.raises(ValueError, match="Annotation 90"):
        ObjectDetection(strict=True).load(name, 0)


def test_images_that_are_missing_or_broken_are_named(tmp_path: Path) -> None:
    name = coco(tmp_path, images=6)
    (tmp_path / "images" / "0.png").unlink()
    (tmp_path / "images" / "1.png").write_bytes(b"no image")
    PIL.Image.new("RGB", (30, 30)).save(tmp_path / "images" / "2.png")
    data = load_detection(name, seed=0)
    text = " | ".join(data.skipped)
    assert "no file" in text and "cannot be read as an image" in text and "is 60 x 40 pixels there and 30 x 30" in text
    assert len(data.skipped) == 6, "three images, and the annotation of each"
    with pytest.raises(ValueError, match="Image 10 .* has no file"):
        load_detection(name, seed=0, strict=True)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("digits_canvass", "digits_canvas"),
        ("missing.json:images", "There is no file 'missing.json'"),
        ("boxes.json", "write ANNOTATIONS.json:FOLDER"),
        ("boxes.json:nowhere", "There is no folder 'nowhere'"),
        ("text.json:images", "not readable JSON"),
        ("list.json:images", "lacks lists of images"),
        ("boxes.json:images,boxes.json:images,boxes.json:images", "names 3 files"),
        ("none.json:images", "no usable box"),
        ("twice.json:images", "two categories of id 3"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    coco(tmp_path, annotations=[])
    Path("boxes.json").rename("none.json")
    coco(tmp_path, categories=[{"id": 3}, {"id": 3}])
    Path("boxes.json").rename("twice.json")
    coco(tmp_path)
    Path("text.json").write_text("{")
    Path("list.json").write_text("[]")
    with pytest.raises(ValueError, match=sentence):
        load_detection(name, seed=0)


def test_resolution_and_limit_are_checked() -> None:
    with pytest.raises(ValueError, match="resolution of 64 or more"):
        load_detection("digits_canvas", seed=0, resolution=32)
    with pytest.raises(ValueError, match="limit of at least 1"):
        load_detection("digits_canvas", seed=0, limit=0)


def test_an_image_is_placed_in_the_corner_of_its_square(tmp_path: Path) -> None:
    PIL.Image.new("L", (20, 10), 255).save(tmp_path / "white.png")
    square, scale = read_square(tmp_path / "white.png", 40, 1)
    assert scale == 2 and square.shape == (40, 40, 1) and (square[:20] == 1).all() and not square[20:].any()
