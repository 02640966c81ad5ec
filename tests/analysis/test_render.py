"""Text from records in Markdown, CSV and LaTeX is shown literally and never executed."""

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from unidelta.analysis.render import in_csv, in_latex, in_markdown, to_csv, to_latex, to_markdown
from unidelta.analysis.score import Score
from unidelta.analysis.table import Cell, Column, Table

ROOT = Path(__file__).parents[2]
NASTY = [
    "<script>alert(1)</script>",
    '=HYPERLINK("http://x","y")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    r"\input{/etc/passwd} 100% $x_1^2$ #1 ~ {a}",
    "a | b `c` *d* [e](f) <!-- g -->",
    "line\nbreak\r\tand tab",
]


def table(text: str) -> Table:
    score = Score(values=(1.0, 2.0), seeds=(1, 2), run_ids=("a", "b"), n_diverged=1)
    return Table(
        name="table3",
        title=text,
        caption=text,
        columns=(Column(title=text, kind="text"), Column(title="score", kind="score")),
        rows=(
            (Cell(text=text), Cell(text="1.50 ± 6.35 (n=2)", value=1.5, score=score)),
            (Cell(text="other"), Cell(text="–", score=Score(), command="python train.py method=prefix")),
        ),
        notes=(text,),
    )


@pytest.mark.parametrize("text", NASTY)
def test_markdown_shows_words_and_no_tags_cells_or_links(text):
    made = to_markdown(table(text))
    assert "<" not in made.replace("&lt;", "") and "`c`" not in made and "](f)" not in made.replace("\\]", "")
    lines = [line for line in made.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3}


@pytest.mark.parametrize("text", NASTY)
def test_no_cell_of_the_csv_is_a_formula(text):
    rows = list(csv.reader(io.StringIO(to_csv(table(text)))))
    assert rows[1][0].lstrip("'") == " ".join(text.split())
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@")]


def test_numbers_stay_numbers_in_the_csv():
    assert [in_csv(text) for text in ("-0.5", "+1.2", "-1e-3", "0.5", "-0.5=1")] == [
        "-0.5",
        "+1.2",
        "-1e-3",
        "0.5",
        "'-0.5=1",
    ]
    (head, first, second) = csv.reader(io.StringIO(to_csv(table("x"))))
    line = dict(zip(head, first, strict=True))
    assert (line["value"], line["n"], line["diverged"], line["run_ids"]) == ("1.5", "2", "1", "a b")
    assert float(line["half_width"]) == pytest.approx(12.706204736 * 0.5)  # t(1) times s/√n
    assert dict(zip(head, second, strict=True))["command"] == "python train.py method=prefix"


@pytest.mark.parametrize("text", NASTY)
def test_latex_has_no_command_from_a_word(text):
    escaped = in_latex(text)
    for command in re.findall(r"\\[a-zA-Z]+", escaped):
        assert command in (
            r"\textbackslash",
            r"\textasciitilde",
            r"\textasciicircum",
            r"\textless",
            r"\textgreater",
            r"\textquotedbl",
        )
    assert not re.search(r"(?<!\\)[%#&_$]", escaped)
    braces = re.sub(r"\\[{}]", "", escaped)
    assert braces.count("{") == braces.count("}")


def test_latex_has_the_rules_of_booktabs():
    made = to_latex(table("x"))
    assert [made.index(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == sorted(
        made.index(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")
    )
    assert r"\begin{tabular}{lr}" in made
    assert r"x & 1.50 $\pm$ 6.35 (n=2) \\" in made


def test_the_commands_of_missing_cells_are_below_the_table():
    made = to_markdown(table("x"))
    assert made.endswith("To fill the missing cells:\n\n```bash\npython train.py method=prefix\n```\n")
    assert "| ---: |" in made


def test_markdown_escapes_what_it_would_read():
    assert in_markdown("a_b*c") == r"a\_b\*c"
    assert in_markdown("R&D < 1") == "R&amp;D &lt; 1"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX")
def test_the_committed_tables_are_set_within_the_text_width(tmp_path):
    tables = sorted((ROOT / "results" / "mini" / "tables").glob("*.tex"))
    packages = {
        line for table in tables for line in re.findall(r"^% (\\usepackage.*)$", table.read_text(), re.MULTILINE)
    }
    body = "\n\\clearpage\n".join(table.read_text(encoding="utf-8") for table in tables)
    document = f"\\documentclass{{article}}\n{''.join(packages)}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "all.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]
    assert tables and "Overfull" not in done.stdout
