"""The video page in a real browser."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.browser import LONG_MS, settled
from tests.e2e.conftest import OpenTab
from tests.e2e.test_pages_e2e import check_drawn, check_small_screens, save_download, upload
from tests.e2e.test_quality_e2e import violations
from tests.fakes.videos import portrait, video

PLAYS_H264 = """() => document.createElement('video').canPlayType('video/mp4; codecs="avc1.42E01E"') !== ''"""
PLAY = """async (player) => {
  player.muted = true;
  await player.play();
  await new Promise((resolve) => player.addEventListener("timeupdate", resolve, { once: true }));
  return [player.duration, player.videoWidth];
}"""


def test_a_video_is_analyzed_and_plays(open_tab: OpenTab, screenshots: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(video(frames=[portrait(256)] * 30, sound="aac"))
    tab = open_tab("/")
    page = tab.page
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Analyze Video").click()
    expect(page.get_by_role("heading", name="Analyze Video")).to_be_visible(timeout=LONG_MS)
    upload(page, clip)
    page.get_by_role("button", name="Analyze", exact=True).click()
    expect(page.get_by_role("heading", name="Audience")).to_be_visible(timeout=LONG_MS)
    settled(page)
    check_drawn(page.get_by_test_id("stMain"))
    assert violations(page) == []
    player = page.locator("video")
    # Some builds of Chromium have no H.264.
    if page.evaluate(PLAYS_H264):
        duration_s, width = player.evaluate(PLAY)
        assert (round(duration_s, 1), width) == (3.0, 256)
    file = save_download(page, "Samples (CSV)", tmp_path / "samples.csv")
    with file.open(newline="", encoding="utf-8") as stream:
        assert {row["emotion"] for row in csv.DictReader(stream)} == {"happy"}
    tab.screenshot(screenshots / "video_result.png")
    check_small_screens(tab, "video_result", screenshots)
