"""The page in a real browser: it opens from disk, trains what is clicked, and remembers."""

import dataclasses
import shutil

import numpy as np
import pytest
import reports

from jaxnn.report.of_study import study_contents
from jaxnn.report.page import write_page
from jaxnn.studies import findings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        reports.CHROMIUM is None or reports.DRIVER is None, reason="chromium is not installed"
    ),
]
NASTY = "</script><img src=x onerror=window.hacked=1><b>"


@pytest.fixture(scope="module")
def study():
    return reports.study_as_if(reports.SMALL)


@pytest.fixture(scope="module")
def file(study, tmp_path_factory):
    """The page of a small study whose data are named by somebody with HTML in mind."""
    settings, posed, dataset = study
    source = posed.source._replace(name=NASTY, features=(NASTY, "b"))
    named = dataclasses.replace(posed, source=source)
    folder = tmp_path_factory.mktemp("page")
    return write_page(folder, study_contents(dataset, settings, named))


@pytest.fixture(scope="module")
def driver():
    made, folder = reports.chromium()
    yield made
    made.quit()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def opened(driver, file):
    """A function that opens the page with this after its #, and gives the browser."""

    def opening(address="", *, width=1300, height=1000, dark=False):
        driver.get("about:blank")  # else another # on the same page is no new page
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        driver.get(f"file://{file}#{address}")
        return driver

    yield opening
    assert [line for line in driver.get_log("browser") if line["level"] == "SEVERE"] == []


def settled(driver):
    """Wait until training stands still and what is around its end is drawn."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 60, 0.05).until(
        lambda d: d.execute_script("return document.body.dataset.settled !== undefined")
    )


def text_of(driver, name):
    return driver.execute_script(f"return byId('{name}').textContent")


def click(driver, name):
    driver.execute_script(f"byId('{name}').click()")


def pointed(driver, canvas, x, y, *, drag=(0, 0)):
    """A real press of the mouse at this place of a canvas, let go somewhere else."""
    from selenium.webdriver import ActionChains

    driver.execute_script(f"byId('{canvas}').scrollIntoView({{block: 'center'}})")
    box = driver.execute_script(f"return byId('{canvas}').getBoundingClientRect().toJSON()")
    actions = ActionChains(driver, duration=10)
    actions.w3c_actions.pointer_action.move_to_location(int(box["x"] + x), int(box["y"] + y))
    actions.w3c_actions.pointer_action.pointer_down()
    actions.w3c_actions.pointer_action.move_to_location(
        int(box["x"] + x + drag[0]), int(box["y"] + y + drag[1])
    )
    actions.w3c_actions.pointer_action.pointer_up()
    actions.perform()


def moved(driver, canvas, *places):
    """The mouse goes to these places of a canvas, one after another, with no button pressed."""
    from selenium.webdriver import ActionChains

    driver.execute_script(f"byId('{canvas}').scrollIntoView({{block: 'center'}})")
    box = driver.execute_script(f"return byId('{canvas}').getBoundingClientRect().toJSON()")
    actions = ActionChains(driver, duration=10)
    for x, y in places:
        actions.w3c_actions.pointer_action.move_to_location(int(box["x"] + x), int(box["y"] + y))
    actions.perform()


def shown(driver, name):
    return not driver.execute_script(f"return byId('{name}').hidden")


def painted(driver, canvas):
    """How many colours a canvas shows, and the share of it that is painted."""
    code = """
    const canvas = byId(arguments[0]);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    let inked = 0;
    for (let k = 0; k < data.length; k += 4) {
      if (data[k + 3]) { inked += 4; colours.add((data[k] << 16) | (data[k + 1] << 8) | data[k + 2]); }
    }
    return [colours.size, inked / data.length];"""  # noqa: E501
    return driver.execute_script(code, canvas)


def test_it_opens_from_disk_and_asks_nobody_for_anything(opened, study):
    driver = opened()
    assert driver.execute_script("return location.protocol") == "file:"
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert text_of(driver, "count") == "16 of 16 starts are shown"
    assert painted(driver, "scatter")[0] > 10
    assert len(driver.execute_script("return [...document.querySelectorAll('tbody tr')]")) == 4
    share, low, high = 100 * findings.shares(study[2], study[0].level)[1, 0]
    row = driver.execute_script("return document.querySelectorAll('tbody tr')[2].textContent")
    assert row.startswith(f"nielsen1{share:.1f} [{low:.1f}, {high:.1f}]")


def test_what_users_named_is_shown_as_text(opened):
    driver = opened("start=3")
    settled(driver)
    assert NASTY in text_of(driver, "title")
    assert NASTY in driver.title
    assert driver.execute_script("return window.hacked") is None
    assert driver.execute_script("return document.querySelectorAll('img, b[onerror]').length") == 0


def test_a_click_selects_a_start_and_trains_it_to_the_studys_end(opened, study):
    driver, dataset = opened("start=0"), study[2]
    x, y = driver.execute_script("return [drawn.xs[9], drawn.ys[9]]")
    pointed(driver, "scatter", round(x), round(y))
    settled(driver)
    assert text_of(driver, "name") == "nielsen, scale 1, network 1"
    assert "step 400" in text_of(driver, "progress")
    assert "start=9" in driver.current_url
    end = driver.execute_script("return Array.from(run.params)")
    stored = dataset["final_weights_1"].values[1, 0, 1].ravel()
    np.testing.assert_allclose(end[:4], stored, rtol=1e-6)
    assert "it ends" in text_of(driver, "note")
    gap = float(text_of(driver, "note").split("ends ")[1].split()[0])
    assert gap < 1e-6  # the store is float32
    for canvas in ("drawing", "curve", "plane", "surface", "spectrum"):
        assert painted(driver, canvas)[0] > 8, canvas
    assert len(driver.execute_script("return found.spectrum")) == 9


def test_a_hundred_steps_in_the_page_are_a_float64_replay(opened, study):
    settings, posed, dataset = study
    driver = opened("start=6&step-size=2.5")
    settled(driver)
    click(driver, "reset")
    driver.execute_script("for (let k = 0; k < 100; k++) byId('single').click()")
    end, loss = driver.execute_script("return [Array.from(run.params), run.loss]")
    weights = [dataset[f"initial_{kind}_{k}"].values[0, 1, 2] for k in (1, 2)
               for kind in ("weights", "biases")]  # fmt: skip
    start = tuple(zip(weights[::2], weights[1::2], strict=True))
    losses, points = reports.descended(start, posed.train, posed.activation, 2.5, 100)
    np.testing.assert_allclose(end, points[100], rtol=1e-9)
    np.testing.assert_allclose(loss, losses[100], rtol=1e-9)
    assert settings.step_size != 2.5
    assert "this run is yours" in text_of(driver, "note")


def test_a_weight_dragged_by_hand_is_trained_from_there(opened, study):
    driver = opened("start=2")
    settled(driver)
    before = driver.execute_script("return Array.from(model.startOf(2))")
    x, y = driver.execute_script("return parts.links[1].points[8]")
    pointed(driver, "drawing", round(x), round(y), drag=(0, -30))
    edits = driver.execute_script("return Object.entries(view.edits)")
    assert len(edits) == 1
    parameter, value = int(edits[0][0]), edits[0][1]
    assert value > before[parameter] + 0.1
    assert driver.execute_script("return run.step") == 0
    click(driver, "play")
    settled(driver)
    start = np.array(before)
    start[parameter] = value
    posed = study[1]
    _, points = reports.descended(
        reports.layers_of(start), posed.train, posed.activation, study[0].step_size, 400
    )
    np.testing.assert_allclose(
        driver.execute_script("return Array.from(run.params)"), points[400], rtol=1e-6
    )
    click(driver, "as-drawn")
    assert driver.execute_script("return Array.from(run.params)") == before


def test_the_box_of_values_comes_and_goes_with_the_pointer(opened):
    driver = opened("start=2")
    settled(driver)
    x, y = driver.execute_script("return [drawn.xs[9], drawn.ys[9]]")
    moved(driver, "scatter", (round(x), round(y)))
    assert shown(driver, "tip")
    assert "nielsen, scale 1, network 1" in text_of(driver, "tip")
    moved(driver, "scatter", (round(x), -40))
    assert not shown(driver, "tip")
    assert driver.execute_script("return hovered") is None
    x, y = driver.execute_script("return parts.links[1].points[8]")
    moved(driver, "drawing", (round(x), round(y)))
    assert shown(driver, "drawing-tip")
    assert "at the start" in text_of(driver, "drawing-tip")
    moved(driver, "drawing", (round(x), -40))
    assert not shown(driver, "drawing-tip")


def test_it_bears_what_a_hand_does(opened):
    driver = opened("start=4&x=w1%5B0%2C0%5D&y=w1%5B0%2C1%5D")
    settled(driver)
    x, y = driver.execute_script("return [drawn.xs[4], drawn.ys[4]]")
    moved(driver, "scatter", (5, 5), (round(x), round(y)), (40, 200), (-20, 100))
    assert not shown(driver, "tip")
    pointed(driver, "scatter", round(x), round(y), drag=(15, -10))
    assert set(driver.execute_script("return Object.keys(view.edits)")) == {"0", "1"}
    size = {"width": 700, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    click(driver, "theme")
    click(driver, "reset")
    driver.execute_script("location.hash = 'start=3'")
    settled(driver)
    assert driver.execute_script("return [view.start, Object.keys(view.edits)]") == [3, []]
    driver.back()
    settled(driver)
    assert driver.execute_script("return [view.start, Object.keys(view.edits).length]") == [4, 2]
    driver.forward()
    settled(driver)
    assert driver.execute_script("return view.start") == 3
    for canvas in ("scatter", "drawing", "curve", "plane", "surface", "spectrum"):
        assert painted(driver, canvas)[0] > 8, canvas


def test_a_link_holds_a_run_whose_step_size_changed_on_the_way(opened, study):
    _, posed, dataset = study
    driver = opened("start=6&step-size=2.5")
    settled(driver)
    click(driver, "reset")
    driver.execute_script("for (let k = 0; k < 30; k++) byId('single').click()")
    change = (
        "byId('step-size').value = '0.25'; byId('step-size').onchange({target: byId('step-size')})"
    )
    driver.execute_script(change)
    click(driver, "play")
    settled(driver)
    end, step = driver.execute_script("return [Array.from(run.params), run.step]")
    assert step == 400
    address = driver.current_url.split("#")[1]
    assert "then=30%3A0.25" in address
    again = opened(address)
    settled(again)
    assert again.execute_script("return [Array.from(run.params), run.step]") == [end, 400]
    weights = [dataset[f"initial_{kind}_{k}"].values[0, 1, 2] for k in (1, 2)
               for kind in ("weights", "biases")]  # fmt: skip
    start = tuple(zip(weights[::2], weights[1::2], strict=True))
    _, first = reports.descended(start, posed.train, posed.activation, 2.5, 30)
    _, then = reports.descended(
        reports.layers_of(first[30]), posed.train, posed.activation, 0.25, 370
    )
    np.testing.assert_allclose(end, then[370], rtol=1e-9)


def test_what_is_trained_on_is_not_held_against_the_stored_end(opened):
    driver = opened("start=9")
    settled(driver)
    assert "it ends" in text_of(driver, "note")
    click(driver, "play")
    settled(driver)
    assert driver.execute_script("return run.step") == 800
    assert "beyond the study's 400 steps" in text_of(driver, "note")
    again = opened(driver.current_url.split("#")[1])
    settled(again)
    assert again.execute_script("return run.step") == 800


def test_the_facts_are_those_of_the_run_that_is_shown(opened):
    driver = opened("start=2")
    settled(driver)
    assert "trainedby the study" in text_of(driver, "facts")
    x, y = driver.execute_script("return parts.links[1].points[8]")
    pointed(driver, "drawing", round(x), round(y), drag=(0, -30))
    loss = driver.execute_script("return spoken(run.loss)")
    for fact in ("here, not by the study", f"loss at the start{loss}", "updates made0"):
        assert fact in text_of(driver, "facts")
    click(driver, "play")
    settled(driver)
    now = driver.execute_script("return spoken(run.loss)")
    assert now != loss
    assert f"loss now{now}" in text_of(driver, "facts")
    assert "updates made400" in text_of(driver, "facts")
    click(driver, "stored")
    settled(driver)
    assert "trainedby the study" in text_of(driver, "facts")


def test_no_box_is_empty_while_it_trains(opened):
    driver = opened("start=2")
    settled(driver)
    driver.execute_script("byId('speed').value = '1'")
    click(driver, "reset")
    for canvas in ("plane", "spectrum"):
        assert painted(driver, canvas)[1] > 0.001, canvas  # words
    click(driver, "play")
    driver.execute_async_script(
        "const done = arguments[0], look = () => run.step > 30 && found.plane ? done() : setTimeout(look, 50); look()"  # noqa: E501
    )
    assert driver.execute_script("return [playing, run.step < 400]") == [True, True]
    for canvas in ("plane", "spectrum"):
        assert painted(driver, canvas)[0] > 8, canvas
    click(driver, "play")
    settled(driver)


def test_a_picture_is_drawn_again_where_words_beside_it_change_its_size(opened):
    driver = opened("start=2")
    settled(driver)
    tall = "return [byId('scatter').clientHeight, byId('scatter').height, drawn.x.at(0) > 0]"
    before = driver.execute_script(tall)
    grown = "const done = arguments[0]; byId('drawing-help').textContent = 'more words '.repeat(300); setTimeout(done, 200)"  # noqa: E501
    driver.execute_async_script(grown)
    after = driver.execute_script(tall)
    assert after[0] > before[0] + 50
    assert after[0] == after[1]


def test_names_of_inputs_are_shown_whole(opened):
    driver = opened("start=2")
    settled(driver)
    written = """
    const seen = [], write = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
      seen.push(text);
      return write.call(this, text, ...at);
    };
    names.inputs[0] = arguments[0];
    names.outputs[0] = arguments[1];
    showNetwork();
    CanvasRenderingContext2D.prototype.fillText = write;
    return seen;"""
    texts = driver.execute_script(written, "OD280/OD315 of diluted wines", "Iris versicolor")
    for name in ("OD280/OD315 of diluted wines", "Iris versicolor"):
        assert name in " ".join(texts)
    assert not [text for text in texts if "…" in text]
    x, y = driver.execute_script("return [parts.nodes[0].x, parts.nodes[0].y]")
    moved(driver, "drawing", (round(x), round(y)))
    assert text_of(driver, "drawing-tip") == "OD280/OD315 of diluted wines"


def test_the_address_brings_the_view_back(opened):
    driver = opened("start=5&step-size=0.5&initial=w1%5B0%2C1%5D:2.25&without+scheme=0&theme=dark")
    settled(driver)
    told = "return [view.start, view.stepSize, run.at[0], byId('step-size').value, currentEdit()]"
    made = driver.execute_script("const currentEdit = () => view.edits[1]; " + told)
    assert made == [5, 0.5, 0, "0.5", 2.25]
    assert driver.execute_script("return model.startOf(5)[1]") != 2.25
    assert driver.execute_script("return run.path[0][1]") == 2.25
    assert text_of(driver, "count") == "8 of 16 starts are shown"
    boxes = "return [...document.querySelectorAll('#filters input')].map((b) => b.checked)"
    assert driver.execute_script(boxes)[:2] == [False, True]
    driver.execute_script("byId('y').value = 'steps'; byId('y').onchange({target: byId('y')})")
    address = driver.current_url.split("#")[1]
    assert "y=steps" in address
    again = opened(address)
    settled(again)
    assert again.current_url.split("#")[1] == address
    again.execute_script("document.querySelector('#filters input').click()")
    assert "without" not in again.current_url


def test_it_works_by_keyboard(opened):
    from selenium.webdriver import ActionChains, Keys

    driver = opened("start=0")
    settled(driver)
    focused = (
        "return [document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
    )
    seen = []
    while "scatter" not in seen and len(seen) < 12:
        ActionChains(driver).send_keys(Keys.TAB).perform()
        name, outline = driver.execute_script(focused)
        seen.append(name)
        assert outline != "none", name
    assert seen[0] == "skip"
    assert seen[-1] == "scatter"
    ActionChains(driver).send_keys(Keys.ARROW_RIGHT).perform()
    first = driver.execute_script("return [view.start, drawn.xs[view.start], playing]")
    ActionChains(driver).send_keys(Keys.ARROW_RIGHT).perform()
    second = driver.execute_script("return [view.start, drawn.xs[view.start], playing]")
    assert second[0] != first[0]
    assert second[1] > first[1]
    assert not second[2]
    assert "network" in text_of(driver, "said")
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    settled(driver)
    assert driver.execute_script("return run.step") == 400


def test_a_narrow_window_needs_no_scrolling_sideways(opened):
    driver = opened("start=5", width=400, height=800)
    settled(driver)
    width = "return [document.documentElement.scrollWidth, innerWidth]"
    scrolled, inner = driver.execute_script(width)
    assert inner == 400
    assert scrolled <= 400


def test_dark_and_light_follow_the_system_and_the_button(opened):
    paper = "return getComputedStyle(document.body).backgroundColor"

    def brightness(driver):
        numbers = driver.execute_script(paper)[4:-1].split(",")
        return sum(map(int, numbers)) / 3

    light, dark = brightness(opened()), brightness(opened(dark=True))
    assert light > 200
    assert dark < 60
    driver = opened(dark=True)
    click(driver, "theme")
    assert brightness(driver) == light
    assert "theme=light" in driver.current_url
