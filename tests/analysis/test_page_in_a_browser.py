"""The committed page as a browser shows it: nothing cut off, filters and hints work, and not a word on the console."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "results" / "report" / "index.html"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")]

PROBE = """
<pre id="found"></pre>
<script>
{
const found = {};
const all = (what) => [...document.querySelectorAll(what)];
found.width = innerWidth;
found.overflow = document.documentElement.scrollWidth - innerWidth;
found.height = document.documentElement.scrollHeight;
found.unreachable = all(".wide").filter((wide) => {
  wide.scrollLeft = 1e6;
  const last = wide.querySelector("thead th:last-child"), box = wide.getBoundingClientRect();
  const first = wide.querySelector("tbody td:first-child");
  const isCut = last !== null && last.getBoundingClientRect().right > box.right + 1;
  const isLost = first !== null && Math.abs(first.getBoundingClientRect().left - box.left) > 1;
  wide.scrollLeft = 0;
  return wide.offsetParent !== null && (isCut || isLost);
}).length;
found.wide = all(".wide").filter((wide) => wide.scrollWidth > wide.clientWidth + 1).map((wide) => wide.scrollWidth);
const shown = (id) => all(`#${id} tr[data-words]`).filter((row) => !row.hidden).length;
const type = (where, words) => {
  const input = document.querySelector(where);
  input.value = words;
  input.dispatchEvent(new Event("input", { bubbles: true }));
};
found.claims = shown("claims");
type("#claims select", "supported");
found.supported = shown("claims");
type("#claims input", "bitfit");
found.searched = shown("claims");
found.said = document.querySelector("#claims output").textContent;
type("#runs select[data-name=task]", "sst2");
found.sst2 = shown("runs");
document.querySelector("#runs .filter button").click();
found.runs = shown("runs");
const tip = document.getElementById("tip");
const mark = document.querySelector("#fig2 svg a[data-runs]");
mark.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
found.tip = tip.hidden ? "" : tip.textContent;
found.quiet = all("svg [id*=means] use, svg [id*=runs-] use").filter((use) => !use.closest("[data-tip]")).length;
mark.dispatchEvent(new MouseEvent("click", { bubbles: true }));
found.behind = shown("runs");
found.expected = mark.dataset.runs.split(" ").length;
document.getElementById("found").textContent = JSON.stringify(found);
parent.postMessage(JSON.stringify(found), "*");
}
</script>
"""
# a window is never narrower than 500 pixels, a frame is
NARROW = """
<!doctype html><pre id="found"></pre>
<script>addEventListener("message", (event) => { document.getElementById("found").textContent = event.data; });</script>
<iframe src="probed.html" style="width: 390px; height: 800px; border: 0"></iframe>
"""


def seen(page: Path, width: int, *options: str) -> tuple[str, str]:
    """The page's document when its scripts have run, and what the console said."""
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900"]
    command += ["--enable-logging=stderr", "--virtual-time-budget=3000", *options, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def test_the_script_runs_as_the_page_allows_it_and_says_nothing():
    document, console = seen(PAGE, 1440)
    assert console == ""
    assert "90 of 90 shown" in document


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_everything_can_be_seen_filtered_and_pointed_at(width: int, tmp_path: Path):
    text = PAGE.read_text(encoding="utf-8")
    probed = tmp_path / "probed.html"
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    probed.write_text(policy.sub("", text).replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    framed = tmp_path / "framed.html"
    framed.write_text(NARROW, encoding="utf-8")
    document, console = seen(framed if width < 500 else probed, max(width, 500))
    found = json.loads(document.partition('<pre id="found">')[2].partition("</pre>")[0])
    assert console == ""
    assert found["width"] == width and found["overflow"] <= 0 and found["unreachable"] == 0 and found["quiet"] == 0
    if width == 1440:
        assert found["height"] < 9000 and found["wide"] == []
    assert found["claims"] == 90 and found["supported"] == text.count('data-verdict="supported"')
    assert 0 < found["searched"] < found["supported"] and found["said"] == f"{found['searched']} of 90 shown"
    assert found["runs"] == text.count('<tr id="run-') and 0 < found["sst2"] < found["runs"]
    assert re.search(r"%.*: [\d.]+", found["tip"])
    assert found["behind"] == found["expected"]
