"""The live page in a real browser: the views, what people do on them, and what a hostile record cannot do."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support import expected_conditions as expected
from serve_pages import better, browsing, search_run, serving, unfinished_run, wait_for

from autoglyph.experiments.replaying.replayed import replay
from autoglyph.experiments.serving.server import PageServer
from autoglyph.experiments.store import Store, TrialRecord
from autoglyph.search_spaces.expressions.text import to_text

pytestmark = pytest.mark.slow

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><script>document.title='owned'</script>",
    "<b>bold</b> <a href='javascript:document.title=1'>link</a> {{7*7}} $\\alpha$",
    "../../etc/passwd",
    "long-" + "x" * 5000,
    "line\nbreak\ttab \x1b[31m \u202e right to left",
]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[TrialRecord]]:
    path = tmp_path_factory.mktemp("pages") / "runs.db"
    search_run(path, "first", trials=300, seed=1)
    recorded = search_run(path, "second", trials=200, seed=2, algorithm="random")
    unfinished_run(path, "going", recorded[:20])
    return path, recorded


@pytest.fixture(scope="module")
def server(trials: tuple[Path, list[TrialRecord]]) -> Iterator[PageServer]:
    with serving(trials[0]) as server:
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    with browsing(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def go(browser: WebDriver, server: PageServer, path: str, heading: str) -> None:
    browser.get(f"http://127.0.0.1:{server.port}{path}")
    wait_for(browser, lambda b: heading in page_text(b, "h1"))


def page_text(browser: WebDriver, selector: str) -> str:
    script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join('\\n')"
    return str(browser.execute_script(script, selector))


def shown(browser: WebDriver, selector: str, text: str) -> Any:
    return wait_for(browser, lambda b: text in page_text(b, selector))


def press(browser: WebDriver, selector: str) -> None:
    """Clicks an element as soon as it is there, however often the page replaces it."""
    script = "const e = document.querySelector(arguments[0]); if (e) e.click(); return e !== null"
    wait_for(browser, lambda b: b.execute_script(script, selector))


def front_point(browser: WebDriver, index: int) -> Any:
    """A drawn member of the front; plotly draws the front as vectors, so that its points are elements."""
    selector = "#front-graph .scatterlayer .trace:last-child .point"
    wait_for(browser, lambda b: len(b.find_elements(By.CSS_SELECTOR, selector)) > abs(index))
    return browser.find_elements(By.CSS_SELECTOR, selector)[index]


def complaints(browser: WebDriver) -> list[str]:
    """What the browser says went wrong: refused scripts, failed requests, exceptions."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_the_list_opens_with_status_speed_and_best(browser: WebDriver, server: PageServer) -> None:
    go(browser, server, "/", "Runs")
    rows = browser.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert [row.find_elements(By.TAG_NAME, "a")[1].text for row in rows] == ["going", "second", "first"]
    assert "running" in rows[0].text and "finished" in rows[1].text and "300 of 300" in rows[2].text
    assert "/s" in rows[2].text and "top1" in rows[2].text and "latency_ms" in rows[2].text
    assert "nsga2" in rows[2].text and "tpu_v3" in rows[2].text and "surrogate" in rows[2].text
    assert complaints(browser) == []


def test_a_point_that_is_clicked_shows_its_individual(browser: WebDriver, server: PageServer) -> None:
    go(browser, server, "/run/first", "first")
    point = front_point(browser, 1)
    ActionChains(browser).move_to_element(point).pause(0.3).click().perform()
    wait_for(browser, expected.url_contains("trial="))
    trial = browser.current_url.rpartition("trial=")[2]
    shown(browser, "#trial-summary", f"Trial {int(trial):,}")
    shown(browser, "#replay-command", f"first:{trial}")
    assert "on the front" in page_text(browser, "#trial-summary")
    shown(browser, "#cost", "stem_conv")
    assert "multiply-adds" in page_text(browser, "#cost") and "analytic roofline model" in page_text(browser, "#cost")
    press(browser, "#cost .choices a[href*=coral_edge_tpu]")
    shown(browser, "#cost .note", "Coral")
    browser.back()
    shown(browser, "#cost .note", "TPU v3")
    assert complaints(browser) == []


def test_a_lasso_lists_the_points_in_it(browser: WebDriver, server: PageServer) -> None:
    go(browser, server, "/run/first", "first")
    point = front_point(browser, 1)
    ActionChains(browser).move_to_element(point).perform()
    press(browser, "#front-graph .modebar-btn[data-val='lasso']")
    corners = [(-12, -12), (24, 0), (0, 24), (-24, 0), (0, -20)]
    drag = ActionChains(browser, duration=50).move_to_element(point).move_by_offset(*corners[0]).click_and_hold()
    for corner in corners[1:]:
        drag.move_by_offset(*corner)
    drag.release().perform()
    shown(browser, "#front-selected", "selected:")
    trials = browser.find_elements(By.CSS_SELECTOR, "#front-selected a")
    assert trials and all("/run/first/trial/" in str(a.get_attribute("href")) for a in trials)
    assert complaints(browser) == []


def test_three_objectives_are_a_front_in_space(browser: WebDriver, server: PageServer) -> None:
    go(browser, server, "/run/first?axis=top1&axis=latency_ms&axis=parameters", "first")
    drawn = "const p = document.querySelector('#front-graph .js-plotly-plot'); return p && p._fullData.map(t => t.type)"
    kinds = wait_for(browser, lambda b: b.execute_script(drawn))
    assert set(kinds) == {"scatter3d"}
    titles = (
        "return ['xaxis', 'yaxis', 'zaxis'].map(a => document.querySelector('#front-graph .js-plotly-plot')"
        "._fullLayout.scene[a].title.text)"
    )
    assert "(ms)" in " ".join(browser.execute_script(titles))
    wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "#front-graph .gl-container canvas"))
    assert complaints(browser) == []


def test_an_expression_is_shown_as_a_formula_and_a_tree(browser: WebDriver, tmp_path: Path) -> None:
    path = tmp_path / "rules.db"
    settings = {"program.steps": "[4]", "program.hidden": "8"}
    search_run(path, "rules", trials=3, seed=0, algorithm="random", space="activation", settings=settings)
    text = to_text(replay("rules:0", path).individual)
    with serving(path) as server:
        go(browser, server, "/run/rules/trial/0", "Trial 0")
        shown(browser, "#architecture .formula", text)
        picture = wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, "#architecture img.drawn"))
        assert picture.get_attribute("alt") == text
        assert browser.execute_script("return arguments[0].naturalWidth", picture) > 10
        wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "#architecture .js-plotly-plot .main-svg"))
        shown(browser, "#replay-command", "rules:0")
        assert complaints(browser) == []


def test_every_view_has_an_address(browser: WebDriver, server: PageServer) -> None:
    go(browser, server, "/run/first", "first")
    views = [tab.get_attribute("href") for tab in browser.find_elements(By.CSS_SELECTOR, ".tabs a")]
    assert len(views) >= 2
    for view in views:
        assert view is not None
        browser.get(view)
        wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, ".tabs a.taken"))
        assert browser.find_element(By.CSS_SELECTOR, ".tabs a.taken").get_attribute("href") == view
        wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "#run .card"))
    go(browser, server, "/run/first/trial/7", "Trial 7")
    shown(browser, "#architecture", "operations")
    press(browser, "#lineage a:not([href$='/trial/7'])")
    wait_for(browser, lambda b: "/trial/7" not in b.current_url)
    other = browser.current_url.rpartition("/")[2]
    shown(browser, "h1", f"Trial {int(other):,}")
    shown(browser, "#replay-command", f"first:{other}")
    go(browser, server, "/run/none", "This cannot be shown")
    go(browser, server, "/run/first/trial/99999", "This cannot be shown")
    go(browser, server, "/run/first?view=none", "This cannot be shown")
    go(browser, server, "/run/first/trial/7?device=/etc/passwd", "This cannot be shown")
    go(browser, server, "/no/such/page", "There is no such page")


def test_a_running_search_updates_without_a_reload(
    browser: WebDriver, server: PageServer, trials: tuple[Path, list[TrialRecord]]
) -> None:
    path, recorded = trials
    go(browser, server, "/run/going", "going")
    shown(browser, "#run", "20 of 1,000")
    browser.execute_script("window.sameDocument = true")
    best = max(recorded, key=lambda t: t.metrics)
    with Store(path) as store:
        run = store.run("going").run
        for step in range(1, 4):
            first = 10 + 10 * step
            store.append_trials(run, [better(best, first + i, 70.0 + step + i / 100) for i in range(10)])
            shown(browser, "#run", f"{first + 10} of 1,000")
            shown(browser, "#run", f"{70.09 + step:.4g}")
        assert "running" in page_text(browser, "#run .badge")
        store.append_event(run, "finished", {"reason": "budget", "trials": 50, "wall_s": 2.0})
        shown(browser, "#run .badge", "finished")
    assert browser.execute_script("return window.sameDocument") is True


def test_importances_follow_a_running_search(
    browser: WebDriver, trials: tuple[Path, list[TrialRecord]], tmp_path: Path
) -> None:
    path = tmp_path / "young.db"
    run = unfinished_run(path, "young", trials[1][:30]).run
    with serving(path) as server:
        go(browser, server, "/run/young?view=decisions", "young")
        shown(browser, "#importance-place", "needs 40 trials with a result, there are 30")
        browser.execute_script("window.sameDocument = true")
        with Store(path) as store:
            store.append_trials(run, trials[1][30:120])
        wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "#importance-graph .js-plotly-plot .main-svg"))
        assert browser.execute_script("return window.sameDocument") is True
        assert complaints(browser) == []


def test_two_runs_compare(browser: WebDriver, server: PageServer) -> None:
    go(browser, server, "/", "Runs")
    for name in ("first", "second"):
        press(browser, f"a[title='Mark for the comparison: {name}']")
        wait_for(browser, expected.url_contains(f"run={name}"))
        shown(browser, f"a[title='Leave out of the comparison: {name}']", "☑")
    shown(browser, "#compare-marked", "Compare 2 runs")
    press(browser, "#compare-marked")
    shown(browser, "h1", "Compare")
    shown(browser, "#page", "Hypervolume")
    wait_for(browser, lambda b: len(b.find_elements(By.CSS_SELECTOR, ".js-plotly-plot .main-svg")) >= 2)
    legend = wait_for(browser, lambda b: page_text(b, ".plot"))
    assert "first" in legend and "second" in legend
    assert complaints(browser) == []


def test_the_page_can_be_used_by_keyboard(browser: WebDriver, server: PageServer) -> None:
    go(browser, server, "/", "Runs")
    browser.execute_script("document.activeElement.blur()")
    seen = []
    for _ in range(20):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        focused = browser.switch_to.active_element
        seen.append(focused.text or focused.get_attribute("title") or "")
        if focused.text == "first":
            break
    assert seen[0] == "Skip to the content" and "Compare" in seen and seen[-1] == "first"
    outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "where the focus is can be seen"
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    wait_for(browser, expected.url_contains("/run/first"))
    member = wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, "#members tbody a"))
    browser.execute_script("arguments[0].focus()", member)
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    shown(browser, "#replay-command", "first:")


def test_a_narrow_window_needs_no_sideways_scrolling(browser: WebDriver, server: PageServer) -> None:
    metrics = {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        for path, heading in (
            ("/", "Runs"),
            ("/run/first?trial=3", "first"),
            ("/compare?run=first&run=second", "Compare"),
        ):
            go(browser, server, path, heading)
            wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, ".card"))
            width = browser.execute_script("return document.documentElement.scrollWidth")
            assert width <= 375, f"{path} is {width} pixels wide"
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_hostile_names_are_text(browser: WebDriver, tmp_path: Path) -> None:
    path = tmp_path / "hostile.db"
    recorded = search_run(path, "plain", trials=30, seed=3)
    failed = recorded[0]._replace(trial=30, status="failed", metrics="{}", error="Error: " + HOSTILE[0] + HOSTILE[1])
    for name in HOSTILE:
        unfinished_run(path, name, [*recorded, failed])
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER runs_never_change")
    db.execute("UPDATE runs SET name = CAST(x'6e6f74fffe75746638' AS TEXT) WHERE name = 'plain'")
    for text in ("space", "device", "accuracy", "accuracy_source"):
        db.execute(f"UPDATE runs SET experiment = json_set(experiment, '$.{text}', ?) WHERE run = 2", (HOSTILE[0],))
    db.execute(
        "UPDATE runs SET columns = replace(columns, 'stages[0].kernel', ?) WHERE run = 3", ("<svg onload=alert(1)>",)
    )
    db.commit()
    db.close()
    with serving(path) as server:
        go(browser, server, "/", "Runs")
        listed = page_text(browser, "tbody")
        assert "<img src=x onerror" in listed and "</script><script>" in listed and "<b>bold</b>" in listed
        assert "not\\xff\\xfeutf8" in listed and "…" in listed and "xxxxxx" in listed
        links = [a.get_attribute("href") for a in browser.find_elements(By.CSS_SELECTOR, "tbody .stack a")]
        assert len(links) == len(HOSTILE) + 1
        browser.execute_script("window.alert = () => { document.title = 'owned' }")
        for number, link in enumerate(links):
            assert link is not None
            rest = ("?trial=5", "/trial/30", "?view=decisions", "?view=failures", "?view=lineage", "", "/trial/5")[
                number
            ]
            browser.get(link + (rest if "~1" not in link else "/trial/5"))
            wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "h1"))
            assert "cannot be shown" not in page_text(browser, "h1"), (link, rest)
            wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "#page .card"))
            injected = (
                "return document.querySelectorAll('#page img, #page b, #page script, [onload], [onerror]').length"
            )
            assert browser.execute_script(injected) == 0
            assert browser.title == "Autoglyph"
        assert [m for m in complaints(browser) if "Content Security Policy" in m] == []


def test_another_host_reads_nothing_without_the_token(
    browser: WebDriver, trials: tuple[Path, list[TrialRecord]]
) -> None:
    with serving(trials[0], "0.0.0.0") as public:
        browser.get(f"http://other.example:{public.port}/")
        assert "Open the URL that the server printed" in page_text(browser, "body")
        browser.get(f"http://other.example:{public.port}/?token={public.token}")
        shown(browser, "h1", "Runs")
        assert "token" not in browser.current_url
        assert browser.execute_script("return document.cookie") == ""
    with serving(trials[0]) as local:
        browser.get(f"http://other.example:{local.port}/")
        assert "localhost and 127.0.0.1 alone" in page_text(browser, "body")
