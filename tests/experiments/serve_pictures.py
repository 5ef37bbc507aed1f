"""Takes the pictures of docs/serve.md: `python tests/experiments/serve_pictures.py docs`."""

import contextlib
import sys
import tempfile
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from serve_pages import browsing, search_run, serving, unfinished_run, wait_for

WIDE, NARROW = (1360, 1000), (430, 900)


def drawn(browser: WebDriver) -> bool:
    """Whether the page is there with all its plots, those that come later among them."""
    if not browser.find_elements(By.CSS_SELECTOR, "#page table, #page .card"):
        return False
    late = browser.find_elements(By.CSS_SELECTOR, "#importance-place > p.quiet, #roofline-place:empty")
    script = "return [...document.querySelectorAll('.plot')].every(p => p.querySelector('.main-svg, .gl-container'))"
    return not late and bool(browser.execute_script(script))


def main(folder: Path) -> None:
    folder = folder.resolve()
    with tempfile.TemporaryDirectory() as temporary, contextlib.chdir(temporary):
        record = Path("searches.db")
        search_run(record, "evolved", trials=3000, seed=1)
        search_run(record, "evolved-again", trials=3000, seed=3)
        trials = search_run(record, "random", trials=3000, seed=2, algorithm="random")
        unfinished_run(record, "going", trials[:420])
        pages = {
            "serve_runs": ("/", (1360, 560)),
            "serve_front": ("/run/evolved?trial=2281", (1360, 1250)),
            "serve_trial": ("/run/evolved/trial/2281", (1360, 1700)),
            "serve_decisions": ("/run/evolved?view=decisions", (1360, 1200)),
            "serve_compare": ("/compare?run=evolved&run=evolved-again&run=random", (1360, 1150)),
            "serve_narrow": ("/run/evolved", NARROW),
        }
        with serving(record) as server, browsing(Path(temporary) / "profile", *WIDE) as browser:
            for name, (path, (width, height)) in pages.items():
                size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
                browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                browser.get(f"http://127.0.0.1:{server.port}{path}")
                wait_for(browser, drawn)
                browser.save_screenshot(str(folder / f"{name}.png"))
                print(f"{name}.png", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
