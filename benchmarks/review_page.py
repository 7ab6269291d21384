"""The review page in a real browser, driven as a person drives it: by keys, by the pointer, by its buttons."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, TimeoutError, sync_playwright

__all__ = ["ReviewPage", "chromium", "find_chromium"]

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")

_QUIET: Final = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
"""Root, as in containers, has no right to a sandbox; and the browser itself is to ask nobody for anything."""

_SIZE: Final = {"width": 1280, "height": 720}

_PATIENCE_MS: Final = 180_000

_STATE: Final = "window.autolabelReview.store.state"

_AT_REST: Final = f"""() => {{
  const state = {_STATE};
  return document.body.dataset.ready === "true" && state.busy === null && state.job === null && state.playing === 0
    && state.masks !== null && state.masks.frame_index === state.frame && state.masks.revision === state.input.revision
    && Number(document.getElementById("stage").dataset.frame) === state.frame;
}}"""


def find_chromium() -> str | None:
    """The browser's executable; None where none is installed."""
    return next((path for name in _NAMES if (path := which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser.

    Raises:
        RuntimeError: None is installed.
    """
    if (executable := find_chromium()) is None:
        raise RuntimeError(f"expected a browser ({', '.join(_NAMES)}), found none; install one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_QUIET))
        yield browser
        browser.close()


class ReviewPage:
    """One tab with the review page.

    Attributes:
        page: The tab.
        complaints: What went wrong in it: errors of scripts, lines on the console, requests to elsewhere.

    Args:
        browser: A browser; the tab gets cookies of its own.
        link: As the server printed it.
    """

    def __init__(self, browser: Browser, link: str) -> None:
        self._context = browser.new_context(viewport=_SIZE)  # type: ignore[arg-type]  # a TypedDict of the same keys
        self.page: Page = self._context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._watch)
        self.page.goto(link)
        self.rest()

    def close(self) -> None:
        """Close the tab."""
        self._context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location.get('url')})")

    def _watch(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "127.0.0.1":
            self.complaints.append(f"request to {request.url}")

    def state(self, *path: str | int) -> Any:
        """Part of what the page knows, such as ``state("input", "revision")``; maps and sets come as lists."""
        plain = "value instanceof Set || value instanceof Map ? [...value] : value"
        script = f"(path) => {{ const value = path.reduce((value, name) => value?.[name], {_STATE}); return {plain}; }}"
        return self.page.evaluate(script, list(path))

    def rest(self) -> None:
        """Wait until nothing is under way and the stage shows the frame with its masks as they are on disk."""
        self._wait(_AT_REST)

    def wait(self, condition: str, argument: Any = None) -> None:
        """Wait until something holds of the state, such as ``"state.job !== null"``."""
        self._wait(f"(argument) => {{ const state = {_STATE}; return {condition}; }}", argument)

    def _wait(self, function: str, argument: Any = None) -> None:
        try:
            self.page.wait_for_function(function, arg=argument, timeout=_PATIENCE_MS)
        except TimeoutError as error:
            told = {key: self.state(key) for key in ("toast", "problem", "busy", "draft", "frame", "selected")}
            raise RuntimeError(f"expected {function}, found {told} and {self.complaints}") from error

    def find(self, testid: str) -> Locator:
        """The element of this name."""
        return self.page.get_by_test_id(testid)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, and wait until all is done."""
        for key in keys:
            self.page.keyboard.press(key)
        self._settle()

    def click(self, testid: str) -> None:
        """Press a button, and wait until all is done."""
        self.find(testid).click()
        self._settle()

    def _settle(self) -> None:
        """Wait until what was done has been taken in, and then until all is done."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.rest()

    def edit(self, *keys: str) -> None:
        """Press keys that make one edit, and wait until the page shows the labels after it."""
        with self._editing():
            for key in keys:
                self.page.keyboard.press(key)

    def click_to_edit(self, testid: str) -> None:
        """Press a button that makes one edit, and wait until the page shows the labels after it."""
        with self._editing():
            self.find(testid).click()

    @contextmanager
    def _editing(self) -> Iterator[None]:
        name, revision = self.state("input", "name"), self.state("input", "revision")
        yield
        # Having rejected an item of the queue, the page may turn to another input.
        self.wait("state.input.name !== argument[0] || state.input.revision > argument[1]", [name, revision])
        self._settle()

    def seek(self, frame_index: int) -> None:
        """Go to a frame along the time axis, as by a click on it."""
        self.page.mouse.click(*self._on_axis(frame_index, self.find("ruler")))
        self._settle()

    def scrub(self, first: int, last: int) -> None:
        """Go from one frame to another with the pointer held down on the time axis."""
        self._drag(self.find("ruler"), first, last)

    def drag_lane(self, key: str, first: int, last: int) -> None:
        """Choose a range by dragging over a lane."""
        self._drag(self.find(f"lane-{key}").locator("canvas"), first, last)

    def _drag(self, element: Locator, first: int, last: int) -> None:
        self.page.mouse.move(*self._on_axis(first, element))
        self.page.mouse.down()
        self.page.mouse.move(*self._on_axis(last, element), steps=4)
        self.page.mouse.up()
        self._settle()

    def click_lane(self, key: str, frame_index: int) -> None:
        """Click on a lane at a frame."""
        self.page.mouse.click(*self._on_axis(frame_index, self.find(f"lane-{key}").locator("canvas")))
        self._settle()

    def lanes(self) -> list[int]:
        """Identities of the objects in the order of their lanes, from top to bottom."""
        places = "(lanes) => lanes.map((lane) => [lane.getBoundingClientRect().top, lane.dataset.key])"
        return [int(key) for _, key in sorted(self.page.locator(".lane").evaluate_all(places)) if key.isdecimal()]

    def _on_axis(self, frame_index: int, element: Locator) -> tuple[float, float]:
        """The middle of a frame's column of an element that is as wide as the time axis."""
        box = element.bounding_box()
        assert box is not None
        frames: list[int] = self.state("input", "frame_indices")
        share = (frames.index(frame_index) + 0.5) / len(frames)
        return box["x"] + share * box["width"], box["y"] + box["height"] / 2

    def on_stage(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the frame is in the window."""
        box = self.find("stage").bounding_box()
        assert box is not None
        scale, left, top = (self._told(name) for name in ("scale", "left", "top"))
        return box["x"] + left + scale * x, box["y"] + top + scale * y

    def scale(self) -> float:
        """How many pixels of the window one of the frame's is wide."""
        return self._told("scale")

    def shown_frame(self) -> int:
        """The frame that the stage shows."""
        return int(self._told("frame"))

    def _told(self, name: str) -> float:
        return float(self.find("stage").get_attribute(f"data-{name}") or "nan")

    def answer(self) -> Any:
        """The mask that answers the prompts, once it is there."""
        self.wait("state.draft?.answer")
        return self.state("draft", "answer")

    def play(self, key: str) -> None:
        """Press a key that plays, and wait for the end."""
        self.page.keyboard.press(key)
        self.wait("state.playing !== 0")
        self.rest()

    def click_at(self, x: float, y: float, *, button: str = "left") -> None:
        """Click at a place of the frame, in its pixels."""
        self.page.mouse.click(*self.on_stage(x, y), button="right" if button == "right" else "left")

    def drag_box(self, xyxy: tuple[float, float, float, float]) -> None:
        """Draw a box, in pixels of the frame."""
        self.page.mouse.move(*self.on_stage(*xyxy[:2]))
        self.page.mouse.down()
        self.page.mouse.move(*self.on_stage(*xyxy[2:]), steps=4)
        self.page.mouse.up()

    def drag_stage(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Move the frame, so that what was at one place is where another one was."""
        places = [self.on_stage(*start), self.on_stage(*end)]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        self.page.mouse.move(*places[1], steps=4)
        self.page.mouse.up()
        self._settle()

    def wheel_at(self, place: tuple[float, float], pixels: float) -> None:
        """Turn the wheel at a place of the frame; upwards is negative."""
        self.page.mouse.move(*self.on_stage(*place))
        self.page.mouse.wheel(0, pixels)
        self._settle()

    def stage_pixels(self) -> str:
        """What the stage shows, in a form that compares."""
        self._settle()
        pixels: str = self.page.evaluate("() => document.querySelector('#stage canvas').toDataURL()")
        return pixels

    def screenshot(self, file: Path) -> None:
        """Keep what the tab shows."""
        self.page.screenshot(path=file)
